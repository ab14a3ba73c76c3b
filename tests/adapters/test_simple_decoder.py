"""The simple_decoder adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.simple_decoder import SimpleDecoder
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Batch, DatasetMeta, Outputs, Sample, Text

SYMBOLS = ["[s]", *"helo W"]
META = DatasetMeta(dict(enumerate(SYMBOLS)))


def texts(rows, meta=META, **options):
    """Return what the decoder reads where the highest scores of each step are those of `rows` of symbols' indices."""
    output = np.eye(12)[np.array(rows)] - 0.5
    samples = tuple(Sample(str(number), np.zeros(2), Text("")) for number in range(len(rows)))
    decoder = construct(SimpleDecoder, options, Context())
    predictions = decoder.adapt(Outputs({"output": output, "other": -output}), Batch(samples, meta))
    return [prediction.text for prediction in predictions]


def row(text):
    return [SYMBOLS.index(symbol) for symbol in text]


HELLO = row("hello")


def test_a_text_ends_before_the_first_end():
    assert texts([[*HELLO, 0, 3, 0], [3, 0, 0, 0, 0, 0, 0, 0], [0] * 8]) == ["hello", "l", ""]


def test_without_an_end_the_last_character_stays():
    assert texts([HELLO, [1, 2, 3, 4, 0]]) == ["hello", "helo"]


def test_the_accuracy_checker_drops_it():
    assert texts([HELLO, [1, 2, 3, 4, 0]], compat="accuracy_checker") == ["hell", "helo"]
    assert texts([[1]], compat="accuracy_checker") == [""]


def test_the_end_is_a_symbol_not_its_characters():
    meta = DatasetMeta(dict(enumerate(["[s]", "[", "s", "]"])))
    assert texts([[1, 2, 3, 0]], meta) == ["[s]"]


def test_another_end():
    assert texts([[*HELLO, 5, 1]], eos_label=" ") == ["hello"]


def test_start_index_and_lower_case():
    assert texts([[3, *row("W hel"), 0]], start_index=1, do_lower=True) == ["w hel"]
    with pytest.raises(OutputError) as caught:
        texts([[3, 2, 0]], start_index=3)
    assert str(caught.value) == "an output of 3 steps found, more than start_index 3 expected"


@pytest.mark.parametrize("custom", [{0: "[s]", 1: "a", 2: 7}, {"0": "[s]", "1": "a", "2": "7"}])
def test_a_label_map_of_its_own_goes_first(custom):
    assert texts([[1, 2, 0]], custom_label_map=custom) == ["a7"]
    assert texts([[1, 2, 0]], DatasetMeta(), custom_label_map=custom) == ["a7"]


def test_a_vocabulary_follows_the_special_symbols(tmp_path):
    file = tmp_path / "vocab.txt"
    file.write_bytes(" a\r\n\n \nä\n\u2028\n".encode())
    assert texts([[1, 2, 3, 4, 0]], vocabulary_file=file) == ["a ä\u2028"]
    assert texts([[2, 3, 4, 5, 1]], vocabulary_file=file, start_label="[GO]") == ["a ä\u2028"]


def test_a_vocabulary_that_cannot_be_read(tmp_path):
    with pytest.raises(OutputError, match=r"^vocabulary_file .*vocab\.txt cannot be read: No such file or directory$"):
        texts([[0]], vocabulary_file=tmp_path / "vocab.txt")
    (tmp_path / "vocab.txt").write_bytes(b"a\n\xe4\n")
    with pytest.raises(OutputError, match=r"^vocabulary_file .* is not UTF-8 text \(byte 2\); save it as UTF-8$"):
        texts([[0]], vocabulary_file=tmp_path / "vocab.txt")


def test_two_sources_of_symbols_contradict(tmp_path):
    with pytest.raises(ValueError, match="custom_label_map and vocabulary_file found, only one of them expected"):
        texts([[0]], custom_label_map={0: "a"}, vocabulary_file=tmp_path)


def test_symbols_are_needed():
    with pytest.raises(OutputError) as caught:
        texts([[0]], DatasetMeta())
    assert str(caught.value) == (
        "the dataset has no label_map, the symbols by index; set custom_label_map or vocabulary_file"
    )


def test_an_index_without_symbol():
    with pytest.raises(OutputError) as caught:
        texts([[1, 9]])
    assert str(caught.value) == (
        "index 9 found, one of the 7 indices with a symbol (0 to 6) expected; correct custom_label_map, "
        "vocabulary_file or the index of the blank"
    )


@pytest.mark.parametrize("shape", [(3, 7), (3, 2, 7), (2, 0, 7), (2, 1, 3, 7), ()])
def test_another_shape(shape):
    samples = (Sample("a", np.zeros(2), Text("")),) * 2
    with pytest.raises(OutputError) as caught:
        SimpleDecoder().adapt(Outputs({"output": np.zeros(shape)}), Batch(samples, META))
    assert str(caught.value) == f"an output {shape} for a batch of 2 found, (2, steps, classes) expected"

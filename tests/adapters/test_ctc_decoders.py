"""The adapters of CTC against sums over all alignments."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.adapters.beam_search_decoder import BeamSearchDecoder
from pytest_torchlauncher.adapters.ctc_greedy_search_decoder import CtcGreedySearchDecoder
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Batch, DatasetMeta, Outputs, Sample, Text

RNG = np.random.default_rng(0)
GREEDY, BEAM = CtcGreedySearchDecoder, BeamSearchDecoder
BOTH = pytest.mark.parametrize("decoder", [GREEDY, BEAM])
LETTERS = DatasetMeta(dict(enumerate("-abcdefgh")), blank_label=0)


def batch(size, meta=LETTERS):
    return Batch(tuple(Sample(str(number), np.zeros(2), Text("")) for number in range(size)), meta)


def read(decoder, output, size, meta=LETTERS, **options):
    adapter = construct(decoder, options, Context())
    return [prediction.text for prediction in adapter.adapt(Outputs({"output": output}), batch(size, meta))]


def collapsed(path, blank):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != blank)


def probabilities(scores, blank):
    """Return the probability of every text of `scores` (T, C): the sum over all paths that collapse to it."""
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    found = defaultdict(float)
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        found[collapsed(path, blank)] += np.prod(scores[np.arange(len(path)), path])
    return found


def searched(scores, blank, size):
    """Return the best text that a beam of `size` prefixes finds, each with what ends in a blank and in a symbol."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    beam = {(): (1.0, 0.0)}
    for row in weights:
        found = defaultdict(lambda: [0.0, 0.0])
        for (prefix, (in_blank, in_symbol)), (symbol, weight) in itertools.product(beam.items(), enumerate(row)):
            repeated = prefix[-1:] == (symbol,)
            if symbol == blank:
                found[prefix][0] += (in_blank + in_symbol) * weight
                continue
            found[(*prefix, symbol)][1] += (in_blank if repeated else in_blank + in_symbol) * weight
            if repeated:
                found[prefix][1] += in_symbol * weight
        beam = dict(sorted(found.items(), key=lambda item: -sum(item[1]))[:size])
    return next(iter(beam))


def path_of(row, scale=9.0):
    return scale * np.eye(5)[row]


@st.composite
def outputs(draw):
    size, steps, classes = draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 4)))
    seed = draw(st.integers(0, 2**32 - 1))
    scores = draw(st.sampled_from([0.3, 2.0])) * np.random.default_rng(seed).normal(size=(size, steps, classes))
    return scores, draw(st.integers(0, classes - 1))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(outputs(), st.booleans())
def test_a_wide_beam_finds_the_most_probable_text(drawn, softmaxed):
    scores, blank = drawn
    given_scores = scores
    if softmaxed:
        given_scores = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    options = {"beam_size": 2000, "blank_label": blank, "softmaxed_probabilities": softmaxed}
    # Batches that equal the steps are refused: one sample at a time.
    found = [read(BEAM, row[np.newaxis], 1, **options) for row in given_scores]
    for row, (text,) in zip(scores, found, strict=True):
        best = probabilities(row, blank)
        indices = tuple(LETTERS.label_map[index] for index in max(best, key=best.get))
        assert text == "".join(indices)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 6), st.integers(1, 12))
def test_a_narrow_beam_finds_what_it_should(seed, size, classes, steps):
    scores = 2 * np.random.default_rng(seed).normal(size=(steps, classes))
    expected = "".join(LETTERS.label_map[index] for index in searched(scores, 1, size))
    assert read(BEAM, scores[np.newaxis], 1, beam_size=size, blank_label=1) == [expected]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(outputs())
def test_the_best_path_is_that_of_the_best_symbols(drawn):
    scores, blank = drawn
    found = [read(GREEDY, row[np.newaxis], 1, blank_label=blank)[0] for row in scores]
    paths = [collapsed(row.argmax(axis=1), blank) for row in scores]
    assert found == ["".join(LETTERS.label_map[index] for index in path) for path in paths]


def test_a_narrow_beam_keeps_the_best_prefixes():
    scores = np.log([[0.6, 0.4, 1e-9], [0.6, 0.4, 1e-9]])[np.newaxis]
    # Over all paths "a" has 0.24 + 0.24 + 0.16; the best path, and a beam of one, is empty with 0.36.
    assert read(BEAM, scores, 1) == ["a"]
    assert read(BEAM, scores, 1, beam_size=2) == ["a"]
    assert read(BEAM, scores, 1, beam_size=1) == [""]
    assert read(GREEDY, scores, 1) == [""]


@BOTH
@pytest.mark.parametrize("blank", range(5))
def test_repeated_symbols_count_once_unless_a_blank_parts_them(decoder, blank):
    first, second = [index for index in range(5) if index != blank][:2]
    row = [first, first, blank, first, second, second, blank, blank]
    letters = LETTERS.label_map
    expected = letters[first] * 2 + letters[second]
    assert read(decoder, path_of(row)[np.newaxis], 1, blank_label=blank) == [expected]


@BOTH
def test_steps_may_come_before_samples(decoder):
    output = RNG.normal(size=(4, 6, 5), scale=5)
    expected = [text for row in output for text in read(decoder, row[np.newaxis], 1)]
    assert read(decoder, output, 4) == expected
    assert read(decoder, output.swapaxes(0, 1), 4) == expected
    assert len(set(expected)) == 4


@BOTH
def test_one_step_of_one_sample(decoder):
    assert read(decoder, path_of([[2]]), 1) == ["b"]


@BOTH
def test_where_steps_and_samples_cannot_be_told_apart(decoder):
    with pytest.raises(OutputError) as caught:
        read(decoder, np.zeros((4, 4, 5)), 4)
    assert str(caught.value) == (
        "an output (4, 4, 5) for a batch of 4 found, whose steps cannot be told from its samples; set another batch"
    )


@BOTH
@pytest.mark.parametrize("shape", [(2, 5), (3, 4, 5), (2, 0, 5), ()])
def test_another_shape(decoder, shape):
    with pytest.raises(OutputError) as caught:
        read(decoder, np.zeros(shape), 2)
    assert str(caught.value) == (
        f"an output {shape} for a batch of 2 found, (steps, 2, classes) or (2, steps, classes) expected"
    )


@BOTH
def test_the_output_is_chosen_by_name(decoder):
    outputs = Outputs({"features": np.zeros(3), "logits": path_of([[1, 0, 2]])})
    adapter = construct(decoder, {"logits_output": "log.*"}, Context())
    assert [prediction.text for prediction in adapter.adapt(outputs, batch(1))] == ["ab"]
    with pytest.raises(OutputError, match=r"^no output is named 'text'; the module returned features"):
        construct(decoder, {"logits_output": "text"}, Context()).adapt(outputs, batch(1))


@BOTH
def test_what_is_no_regular_expression(decoder):
    with pytest.raises(ValueError, match=r"logits_output: '\(' is no regular expression: missing \), unterminated"):
        construct(decoder, {"logits_output": "("}, Context())


@BOTH
def test_symbols_of_its_own(decoder, tmp_path):
    output = path_of([[1, 0, 2]])
    (tmp_path / "vocab.txt").write_text("-\nx\n \n")
    assert read(decoder, output, 1, custom_label_map={1: "x", 2: "y"}, blank_label=0) == ["xy"]
    assert read(decoder, output, 1, DatasetMeta(), vocabulary_file=tmp_path / "vocab.txt", blank_label=0) == ["x "]
    with pytest.raises(OutputError, match=r"^the dataset has no label_map, the symbols by index; set custom_label_map"):
        read(decoder, output, 1, DatasetMeta())


@BOTH
def test_an_index_without_symbol(decoder):
    with pytest.raises(OutputError) as caught:
        read(decoder, path_of([[1, 0, 4]]), 1, custom_label_map={1: "x", 2: "y"}, blank_label=0)
    assert str(caught.value) == (
        "index 4 found, one of the 2 indices with a symbol (1 to 2) expected; correct custom_label_map, "
        "vocabulary_file or the index of the blank"
    )


def test_symbols_without_the_blank_are_shifted():
    output = path_of([[1, 1, 0, 4]])
    assert read(GREEDY, output, 1, custom_label_map=dict(enumerate("abcd")), shift_labels=True) == ["ad"]


def test_the_greedy_blank_is_the_first_by_default():
    meta = DatasetMeta(dict(enumerate("abcde")), blank_label=4)
    assert read(GREEDY, path_of([[1, 0, 4]]), 1, meta) == ["be"]


def test_the_blank_of_the_beam_is_that_of_the_dataset_or_follows_the_symbols():
    output = path_of([[1, 4, 1, 0]])
    assert read(BEAM, output, 1, DatasetMeta(dict(enumerate("abcd")), blank_label=4)) == ["bba"]
    assert read(BEAM, output, 1, DatasetMeta(dict(enumerate("abcd")))) == ["bba"]
    assert read(BEAM, output, 1, LETTERS) == ["ada"]
    assert read(BEAM, output, 1, LETTERS, custom_label_map=dict(enumerate("wxyz"))) == ["xxw"]


def test_a_blank_beyond_the_output():
    with pytest.raises(OutputError) as caught:
        read(BEAM, path_of([[1, 4]]), 1, DatasetMeta(dict(enumerate("-abcd"))))
    assert str(caught.value) == ("the blank has index 5 for an output with 5 classes; set blank_label, from 0 to 4")


def test_what_is_no_probability():
    with pytest.raises(OutputError, match=r"^-1.5 found, probabilities expected by softmaxed_probabilities$"):
        read(BEAM, np.full((1, 2, 3), -1.5), 1, softmaxed_probabilities=True)


def test_probabilities_may_be_zero():
    certain = np.eye(5)[[[1, 1, 0, 1, 3]]]
    assert read(BEAM, certain, 1, softmaxed_probabilities=True) == ["aac"]


def test_long_outputs_keep_their_precision():
    row = [1, 0, 2, 0] * 500
    assert read(BEAM, path_of([row], scale=3000.0), 1) == ["ab" * 500]

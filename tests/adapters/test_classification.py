"""The classification adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.classification import Classification
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Label, Outputs, Sample, Scores

RNG = np.random.default_rng(0)


def batch(size):
    return Batch(tuple(Sample(f"{i}.png", np.zeros(1), Label(0)) for i in range(size)))


def adapted(output, size, **options):
    return Classification(**options).adapt(Outputs({"output": np.asarray(output)}), batch(size))


def scores(output, size, **options):
    predictions = adapted(output, size, **options)
    assert all(isinstance(prediction, Scores) for prediction in predictions)
    return np.stack([prediction.values for prediction in predictions])


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("shape", [(5,), (5, 1, 1), (1, 5), (2, 3)])
def test_each_row_is_a_sample(size, shape):
    output = RNG.normal(size=(size, *shape)).astype(np.float32)
    rows = scores(output, size)
    np.testing.assert_array_equal(rows, output.reshape(size, -1))
    assert rows.dtype == np.float32


def test_a_single_sample_may_lack_the_batch_axis():
    np.testing.assert_array_equal(scores([0.1, 0.7, 0.2], 1), [[0.1, 0.7, 0.2]])
    assert adapted(7, 1, argmax_output=True) == [Label(7)]


@pytest.mark.parametrize("output", [[3, 0, 2], [[3], [0], [2]], [3.0, 0.0, 2.0]])
def test_class_indices(output):
    assert adapted(output, 3, argmax_output=True) == [Label(3), Label(0), Label(2)]


@pytest.mark.parametrize("output", [np.array([True, False]), np.array([[[1]], [[0]]], np.uint8)])
def test_class_indices_of_other_types(output):
    assert adapted(output, 2, argmax_output=True) == [Label(1), Label(0)]


def test_class_indices_in_a_column():
    output = [[7, 1, 2], [8, 3, 4]]
    assert adapted(output, 2, fixed_output=True) == [Label(7), Label(8)]
    assert adapted(output, 2, fixed_output=True, fixed_output_index=2) == [Label(2), Label(4)]


def test_the_output_is_chosen_by_name_or_expression():
    outputs = Outputs({"aux": np.zeros((2, 3)), "logits": np.ones((2, 3))})
    for name in ["logits", "log.*", "l"]:
        (first, _) = Classification(classification_output=name).adapt(outputs, batch(2))
        np.testing.assert_array_equal(first.values, [1, 1, 1])
    (first, _) = Classification().adapt(outputs, batch(2))
    np.testing.assert_array_equal(first.values, [0, 0, 0])
    with pytest.raises(OutputError, match=r"^no output is named 'head'; the module returned aux \(2, 3\) float64, "):
        Classification(classification_output="head").adapt(outputs, batch(2))


def test_softmax_agrees_with_torch_and_is_stable():
    import torch

    output = RNG.normal(scale=10, size=(4, 6))
    expected = torch.softmax(torch.from_numpy(output), 1).numpy()
    np.testing.assert_allclose(scores(output, 4, do_softmax=True), expected, rtol=1e-12)
    np.testing.assert_array_equal(scores([[1e4, 0.0], [-1e4, -1e4]], 2, do_softmax=True), [[1, 0], [0.5, 0.5]])
    half = scores(np.array([[6e4, -6e4]], np.float16), 1, do_softmax=True)
    np.testing.assert_array_equal(half, [[1, 0]])
    np.testing.assert_allclose(scores([[1, 1]], 1, do_softmax=True), [[0.5, 0.5]])


def test_label_as_array_changes_nothing():
    assert adapted([3], 1, argmax_output=True, label_as_array=True) == [Label(3)]


@pytest.mark.parametrize(
    ("output", "size"),
    [(np.zeros((3, 5)), 4), (np.zeros((4, 5)), 1), (np.zeros(5), 4), (np.array(1.0), 2), (np.zeros((2, 0)), 2)],
)
def test_one_row_a_sample_is_expected(output, size):
    with pytest.raises(OutputError) as caught:
        adapted(output, size)
    assert str(caught.value) == (f"an output {output.shape} for a batch of {size} found, ({size}, classes) expected")


def test_one_class_index_a_sample_is_expected():
    with pytest.raises(OutputError) as caught:
        adapted(np.zeros((2, 10)), 2, argmax_output=True)
    assert str(caught.value) == (
        "10 values a sample found, one class index expected; if they are scores, remove argmax_output"
    )


@pytest.mark.parametrize("wrong", [0.25, np.nan, np.inf])
def test_class_indices_are_whole_numbers(wrong):
    with pytest.raises(OutputError) as caught:
        adapted([1.0, wrong], 2, argmax_output=True)
    assert str(caught.value) == (
        f"{wrong} found, a whole number expected as class index; if the output holds scores, remove argmax_output and "
        "fixed_output"
    )


def test_the_column_must_be_there():
    with pytest.raises(OutputError) as caught:
        adapted(np.zeros((2, 3)), 2, fixed_output=True, fixed_output_index=3)
    assert str(caught.value) == "3 values a sample found, at least 4 expected by fixed_output_index: 3"


def test_options_that_contradict():
    with pytest.raises(ValueError, match=r"^argmax_output and fixed_output found, only one of them expected$"):
        Classification(argmax_output=True, fixed_output=True)
    with pytest.raises(ValueError, match=r"^classification_output: '\(a' is no regular expression: .+"):
        Classification(classification_output="(a")

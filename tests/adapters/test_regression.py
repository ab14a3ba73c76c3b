"""The regression adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.regression import Regression
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Label, Outputs, Sample, Values

RNG = np.random.default_rng(0)


def adapted(output, batch, **options):
    samples = tuple(Sample(str(index), np.zeros(3), Label(0)) for index in range(batch))
    outputs = Outputs({"first": output, "second": np.zeros((batch, 9))})
    predictions = Regression(**options).adapt(outputs, Batch(samples))
    assert all(isinstance(prediction, Values) for prediction in predictions)
    assert all(prediction.values.dtype == np.float64 for prediction in predictions)
    return [prediction.values for prediction in predictions]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (1, 5)])
def test_each_row_becomes_a_vector_or_keeps_its_shape(batch, shape):
    output = RNG.normal(size=(batch, *shape)).astype(np.float32)
    for index, (flat, shaped) in enumerate(
        zip(adapted(output, batch), adapted(output, batch, keep_shape=True), strict=True)
    ):
        np.testing.assert_array_equal(flat, output[index].ravel())
        np.testing.assert_array_equal(shaped, output[index])
        assert shaped.shape == shape


@pytest.mark.parametrize("keep_shape", [False, True])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_number_a_sample_is_a_vector_of_one(batch, keep_shape):
    values = adapted(np.arange(batch), batch, keep_shape=keep_shape)
    np.testing.assert_array_equal(values, np.arange(batch)[:, np.newaxis])


@pytest.mark.parametrize(("shape", "flat"), [((), (1,)), ((5,), (5,)), ((3, 4), (12,))])
def test_a_single_sample_may_come_without_the_axis_of_the_batch(shape, flat):
    output = RNG.normal(size=shape)
    (values,) = adapted(output, 1)
    np.testing.assert_array_equal(values, output.reshape(flat))
    (values,) = adapted(output, 1, keep_shape=True)
    np.testing.assert_array_equal(values, np.atleast_1d(output))


def test_samples_may_have_different_lengths():
    output = (np.zeros((1, 3)), np.ones((1, 5)))
    assert [values.shape for values in adapted(output, 2)] == [(3,), (5,)]
    assert [values.shape for values in adapted(output, 2, keep_shape=True)] == [(1, 3), (1, 5)]


def test_the_output_stays_as_it_was():
    output = np.zeros((2, 3))
    adapted(output, 2)[0][:] = 1
    assert not output.any()


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (np.zeros((2, 4)), "2 rows"),
        (np.zeros(4), "4 rows"),
        (np.zeros(()), "a single number"),
        ((np.zeros(2), np.zeros(2)), "2 rows"),
    ],
)
def test_a_row_a_sample_is_needed(output, found):
    with pytest.raises(OutputError) as caught:
        adapted(output, 3)
    assert str(caught.value) == f"{found} for a batch of 3 found, (3, …) expected"

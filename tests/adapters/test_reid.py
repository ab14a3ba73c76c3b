"""The reid adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.reid import Reid
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Embedding, Identity, Outputs, Sample

RNG = np.random.default_rng(0)


def adapted(output, batch, **options):
    samples = tuple(Sample(str(index), np.zeros(3), Identity(1, 0, True)) for index in range(batch))
    outputs = Outputs({"first": output, "second": np.full((batch, 2), 7.0)})
    predictions = Reid(**options).adapt(outputs, Batch(samples))
    assert all(isinstance(prediction, Embedding) for prediction in predictions)
    assert all(prediction.values.dtype == np.float64 for prediction in predictions)
    return [prediction.values for prediction in predictions]


def normalized(output):
    return output / np.sqrt((output**2).sum(axis=1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shape", [(5,), (5, 1, 1), (4, 2, 3)])
def test_embeddings_become_unit_vectors_along_their_first_axis(batch, shape):
    output = RNG.normal(size=(batch, *shape))
    np.testing.assert_allclose(adapted(output, batch, keep_shape=True), normalized(output), rtol=1e-14)
    np.testing.assert_allclose(adapted(output, batch), normalized(output).reshape(batch, -1), rtol=1e-14)


def test_a_long_vector_has_length_1_and_a_zero_stays():
    long, zero = adapted(np.array([[300.0, 400.0], [0.0, 0.0]]), 2)
    np.testing.assert_allclose(long, [0.6, 0.8], rtol=1e-9)
    np.testing.assert_array_equal(zero, [0, 0])


@pytest.mark.parametrize("batch", [1, 3])
def test_rows_as_they_stand(batch):
    output = RNG.normal(size=(batch, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(adapted(output, batch, grn_workaround=False), output.reshape(batch, -1))
    np.testing.assert_array_equal(adapted(output, batch, grn_workaround=False, keep_shape=True), output)


@pytest.mark.parametrize("batch", [1, 3])
def test_tokens_are_averaged_first(batch):
    output = RNG.normal(size=(batch, 6, 4))
    pooled = output.mean(axis=1)
    np.testing.assert_allclose(adapted(output, batch, mean_pooling=True, grn_workaround=False), pooled, rtol=1e-12)
    np.testing.assert_allclose(adapted(output, batch, mean_pooling=True), normalized(pooled), rtol=1e-12)


def test_the_output_is_chosen_by_name_or_pattern():
    for name in ("second", "sec.*"):
        np.testing.assert_array_equal(adapted(np.zeros((2, 9)), 2, target_out=name, grn_workaround=False), [[7, 7]] * 2)


def test_there_is_nothing_to_join():
    output = RNG.normal(size=(2, 4))
    np.testing.assert_array_equal(adapted(output, 2, joining_method="concatenation"), adapted(output, 2))


def test_the_output_stays_as_it_was():
    output = np.ones((2, 3))
    adapted(output, 2, grn_workaround=False)[0][:] = 0
    assert output.all()


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (np.zeros((2, 4)), {}, "2 rows for a batch of 3 found, (3, …) expected"),
        (
            np.zeros((3, 4)),
            {"mean_pooling": True},
            "(4,) found for a sample, (tokens, numbers) expected by mean_pooling",
        ),
        (
            np.zeros((3, 4)),
            {"target_out": "third"},
            "no output is named 'third'; the module returned first (3, 4) float64, second (3, 2) float64",
        ),
    ],
)
def test_outputs_that_do_not_suit(output, options, message):
    with pytest.raises(OutputError) as caught:
        adapted(output, 3, **options)
    assert str(caught.value) == message


def test_a_pattern_must_be_one():
    with pytest.raises(ValueError, match=r"^target_out: '\(' is no regular expression: missing \)"):
        Reid(target_out="(")

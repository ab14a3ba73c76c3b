"""The person_attributes adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.person_attributes import PersonAttributes
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Attributes, Batch, Outputs, Sample


def adapted(output, batch, **options):
    samples = tuple(Sample(str(index), np.zeros(3), Attributes(np.zeros(3))) for index in range(batch))
    outputs = Outputs({"first": output, "second": np.ones((batch, 2))})
    predictions = PersonAttributes(**options).adapt(outputs, Batch(samples))
    assert all(isinstance(prediction, Attributes) for prediction in predictions)
    assert all(prediction.values.dtype == np.int64 for prediction in predictions)
    return [prediction.values for prediction in predictions]


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("shape", [(4,), (4, 1, 1), (1, 4)])
def test_a_sample_has_what_is_above_one_half(batch, shape):
    output = np.random.default_rng(0).random((batch, *shape)).astype(np.float32)
    np.testing.assert_array_equal(adapted(output, batch), output.reshape(batch, 4) > 0.5)


def test_one_half_is_not_above():
    np.testing.assert_array_equal(
        adapted(np.array([[0.5, np.nextafter(0.5, 1), 0.0, 1.0, -3.0]]), 1), [[0, 1, 0, 1, 0]]
    )


def test_the_output_stays_as_it_was():
    output = np.full((2, 3), 0.7)
    adapted(output, 2)
    assert (output == 0.7).all()


def test_the_output_is_chosen_by_name_or_pattern():
    for name in ("second", "sec.*"):
        found = adapted(np.zeros((2, 9)), 2, attributes_recognition_out=name)
        np.testing.assert_array_equal(found, [[1, 1], [1, 1]])


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (np.zeros((2, 4)), {}, "2 rows for a batch of 3 found, (3, …) expected"),
        (
            np.zeros((3, 4)),
            {"attributes_recognition_out": "third"},
            "no output is named 'third'; the module returned first (3, 4) float64, second (3, 2) float64",
        ),
    ],
)
def test_outputs_that_do_not_suit(output, options, message):
    with pytest.raises(OutputError) as caught:
        adapted(output, 3, **options)
    assert str(caught.value) == message


def test_a_pattern_must_be_one():
    with pytest.raises(ValueError, match=r"^attributes_recognition_out: '\(' is no regular expression: missing \)"):
        PersonAttributes(attributes_recognition_out="(")

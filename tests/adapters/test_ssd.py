"""The ssd adapter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.adapters.ssd import SSD
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Label, Outputs, Sample, ScoredBoxes


def adapted(output, count, **options):
    samples = tuple(Sample(str(index), np.zeros((8, 8, 3)), Label(0)) for index in range(count))
    predictions = SSD(**options).adapt(Outputs({"detections": np.asarray(output, np.float32)}), Batch(samples))
    for prediction in predictions:
        assert (type(prediction), prediction.frame) == (ScoredBoxes, "normalized")
        assert (prediction.boxes.dtype, prediction.labels.dtype) == (np.float64, np.int64)
        assert (prediction.scores.dtype, prediction.boxes.shape) == (np.float64, (len(prediction), 4))
    return predictions


def one_by_one(rows, count, custom):
    """Return label, score and corners of the rows of each image, read off one by one."""
    images = [[] for _ in range(count)]
    for image, *values in np.asarray(rows, np.float32).tolist():
        if image == -1:
            break
        if custom:
            y0, x0, y1, x1, score, label = values
        else:
            label, score, x0, y0, x1, y1 = values
        if image < count:
            images[int(image)].append((int(label), score, x0, y0, x1, y1))
    return images


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.lists(st.integers(-1, 4), max_size=12), st.booleans())
def test_rows_go_to_their_images_up_to_the_end(count, images, custom):
    rng = np.random.default_rng(len(images))
    rows = np.column_stack([images, rng.random((len(images), 6))]) if images else np.zeros((0, 7))
    rows[:, 6 if custom else 1] = rng.integers(0, 90, len(rows))
    found = adapted(rows.reshape(1, 1, -1, 7), count, custom_output_order=custom)
    assert len(found) == count
    for prediction, expected in zip(found, one_by_one(rows, count, custom), strict=True):
        columns = zip(prediction.labels.tolist(), prediction.scores.tolist(), *prediction.boxes.T.tolist(), strict=True)
        assert list(columns) == expected


@pytest.mark.parametrize("shape", [(3, 7), (1, 3, 7), (1, 1, 3, 7)])
def test_the_axes_before_the_rows_do_not_matter(shape):
    rows = [[0, 5, 0.5, 0, 0.25, 0.5, 1], [1, 6, 0.25, 0, 0, 1, 1], [0, 7, 0.125, 0.5, 0.5, 1, 1]]
    first, second = adapted(np.reshape(rows, shape), 2)
    assert (first.labels.tolist(), second.labels.tolist()) == ([5, 7], [6])
    np.testing.assert_array_equal(first.boxes, [[0, 0.25, 0.5, 1], [0.5, 0.5, 1, 1]])


def test_nothing_found():
    first, second = adapted([[[[-1, 5, 0.5, 0, 0, 1, 1], [0, 5, 0.5, 0, 0, 1, 1]]]], 2)
    assert (len(first), len(second)) == (0, 0)


@pytest.mark.parametrize("label", [float("nan"), float("inf")])
def test_labels_are_numbers(label):
    with pytest.raises(OutputError) as caught:
        adapted([[[[0, label, 0.5, 0, 0, 1, 1]]]], 1)
    assert str(caught.value) == "labels found that are no finite numbers, whole numbers expected"


@pytest.mark.parametrize("shape", [(1, 1, 4, 6), (14, 1), ()])
def test_rows_of_seven_are_needed(shape):
    with pytest.raises(OutputError) as caught:
        adapted(np.zeros(shape), 1)
    assert str(caught.value) == f"an output {shape} found, rows of seven (1, 1, N, 7) expected"

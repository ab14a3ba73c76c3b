"""What metrics of torchmetrics are updated with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OutputError
from ..types import Array, Attributes, Boxes, Image, Label, Mask, MaskScores, ScoredBoxes, Scores, Text, Values
from ._matches import checked

if TYPE_CHECKING:
    import torch

__all__ = ["chunks", "prediction_and_target", "tensors"]

_CHUNK = 64
"""Samples that go into an update together."""


def prediction_and_target(annotation: Any, prediction: Any) -> tuple[Any, Any]:
    """Return prediction and target as arrays, texts, or mappings of arrays."""
    if type(prediction) not in _TAKEN.get(type(annotation), ()):
        raise OutputError(
            f"{type(annotation).__name__} and {type(prediction).__name__} found, an annotation and a prediction of "
            f"one of these expected: {_described(_TAKEN)}"
        )
    return _PARTS[type(prediction)](prediction), _PARTS[type(annotation)](annotation)


_TAKEN: Mapping[type, tuple[type, ...]] = {
    Label: (Scores, Label),
    Attributes: (Scores, Attributes),
    Values: (Values,),
    Mask: (MaskScores, Mask),
    Image: (Image,),
    Text: (Text,),
    Boxes: (ScoredBoxes,),
}
"""The predictions that go with an annotation."""


def _described(taken: Mapping[type, tuple[type, ...]]) -> str:
    return ", ".join(
        f"{annotation.__name__} and {prediction.__name__}"
        for annotation, predictions in taken.items()
        for prediction in predictions
    )


def _number_or_row(values: Array) -> Array:
    """Return `values`, a lone number without its axis."""
    return values.reshape(()) if values.size == 1 else values


def _boxes(boxes: Boxes) -> dict[str, Array]:
    return {"boxes": boxes.boxes, "labels": boxes.labels, "iscrowd": boxes.crowd, "area": boxes.areas}


def _scored_boxes(boxes: ScoredBoxes) -> dict[str, Array]:
    found = checked(boxes)
    return {"boxes": found.boxes, "labels": found.labels, "scores": found.scores}


def _scores_of_pixels(mask: MaskScores) -> Array:
    if np.isnan(mask.values).any():
        raise OutputError(
            "scores that are NaN found, as of pixels that a crop does not show; let the adapter make_argmax and give "
            "the metric ignore_index: -1"
        )
    return mask.values


_PARTS: Mapping[type, Callable[[Any], Any]] = {
    Label: lambda label: np.array(label.index),
    Scores: lambda scores: _number_or_row(scores.values),
    Attributes: lambda attributes: attributes.values,
    Values: lambda values: _number_or_row(values.values),
    Mask: lambda mask: mask.labels.astype(np.int32),
    MaskScores: _scores_of_pixels,
    Image: lambda image: np.moveaxis(image.values, -1, 0).astype(np.float32),
    Text: lambda text: text.text,
    Boxes: _boxes,
    ScoredBoxes: _scored_boxes,
}


def chunks(evidence: Iterable[tuple[Any, Any]]) -> Iterator[list[tuple[Any, Any]]]:
    """Yield `evidence` in its order, what has the same shapes together."""
    for _, alike in itertools.groupby(evidence, key=lambda pair: tuple(map(np.shape, pair))):
        while chunk := list(itertools.islice(alike, _CHUNK)):
            yield chunk


def tensors(parts: Sequence[Any]) -> Any:
    """Return the `parts` of several samples as a metric is updated with them."""
    if isinstance(parts[0], str):
        return list(parts)
    if isinstance(parts[0], Mapping):
        return [{name: _tensor(array) for name, array in part.items()} for part in parts]
    return _tensor(np.stack(parts))


def _tensor(array: Array) -> torch.Tensor:
    import torch

    return torch.from_numpy(array.astype(array.dtype if array.dtype.kind == "f" else np.int64))

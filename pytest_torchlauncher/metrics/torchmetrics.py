"""Metrics of the package torchmetrics."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, OutputError
from ..extras import require
from ..kinds import Metric
from ..registry import register
from ..types import (
    Array,
    Attributes,
    Boxes,
    DatasetMeta,
    Image,
    Label,
    Mask,
    MaskScores,
    MetricValue,
    ScoredBoxes,
    Scores,
    Text,
    Values,
)
from ._classes import class_name, class_names
from ._dotted import check_dotted, resolve
from ._matches import checked

if TYPE_CHECKING:
    import torch

__all__ = ["TorchMetrics"]

_CHUNK = 64
"""Samples that go into an update together."""


@register("torchmetrics")
@dataclass(frozen=True, kw_only=True)
class TorchMetrics(Metric[Any, Any]):
    """Any metric of torchmetrics, on the CPU, over all samples: ``torchmetrics.classification.MulticlassAUROC``.

    It is updated with predictions and targets as tensors: of classes with scores (N, C) and labels (N,), of attributes
    and values with (N, K), of a lone value with (N,), of masks with (N, H, W) or scores (N, C, H, W), of images with
    (N, C, H, W), of texts with lists of them, and of boxes with the lists of mappings that its detection metrics take.
    Arrays of all samples are kept until then: an adapter that gives classes instead of scores of pixels keeps less.

    Args:
        metric: dotted path of the class.
        kwargs: its arguments.
    """

    metric: str
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check that `metric` is a dotted path; it is imported when the first sample comes.

        Raises:
            ValueError: it is none.
        """
        check_dotted(self.metric, "metric")

    def observe(self, annotations: Sequence[Any], predictions: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Return what becomes the prediction and the target of each sample.

        Raises:
            OutputError: there is no such metric, or annotations and predictions are of classes that it does not take.
            MissingExtraError: torchmetrics is not installed.
        """
        # A metric that cannot be built is told before the whole dataset has gone through the model.
        _ = self._built
        return [
            _evidence(annotation, prediction) for annotation, prediction in zip(annotations, predictions, strict=True)
        ]

    def summarize(self, evidence: Sequence[tuple[Any, Any]], meta: DatasetMeta) -> MetricValue:
        """Return what the metric computes.

        Several numbers become the components, under the names of the classes where there are as many, and their mean
        the value; those that are NaN, of classes that do not occur, are left out. Of a mapping, as detection metrics
        return it, the first number is the value.

        Raises:
            DataError: there is no sample, or the metric computes something else.
        """
        if not len(evidence):
            raise DataError(f"no sample found, at least one expected for {self.metric}")
        metric = self._built.clone()
        for chunk in _chunks(evidence):
            metric.update(*map(_tensors, zip(*chunk, strict=True)))
        result = metric.compute()
        value, components = _of_mapping(result) if isinstance(result, Mapping) else self._of_tensor(result, meta)
        return MetricValue(
            value,
            components,
            higher_is_better=metric.higher_is_better is not False,
            bounded=(metric.plot_lower_bound, metric.plot_upper_bound) == (0, 1),
        )

    @functools.cached_property
    def _built(self) -> Any:
        base = require("torchmetrics", "torchmetrics").Metric
        found = resolve(self.metric, "metric", "install what it needs")
        with warnings.catch_warnings():
            # The evidence of all samples is kept in any case.
            warnings.filterwarnings("ignore", message=".* will save all ")
            metric = found(**_plain(self.kwargs)) if callable(found) else found
        if isinstance(found, base) or not isinstance(metric, base):
            raise OutputError(f"metric: {self.metric} is no class of a torchmetrics.Metric, one expected")
        return metric

    def _of_tensor(self, result: Any, meta: DatasetMeta) -> tuple[float, dict[str, float]]:
        numbers = _numbers(result)
        if numbers is None:
            raise DataError(
                f"{self.metric} computed a {type(result).__name__}, a tensor of numbers or a mapping of them expected"
            )
        if numbers.size == 1:
            return float(numbers.reshape(())), {}
        components = dict(zip(_names(numbers, meta), map(float, numbers.ravel()), strict=True))
        known = {name: number for name, number in components.items() if not np.isnan(number)}
        return float(np.mean(list(known.values()))) if known else float("nan"), known


def _plain(value: Any) -> Any:
    """Return `value` without the places in the launcher file, which torchmetrics cannot copy."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _evidence(annotation: Any, prediction: Any) -> tuple[Any, Any]:
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


_PARTS: Mapping[type, Callable[[Any], Any]] = {
    Label: lambda label: np.array(label.index),
    Scores: lambda scores: _number_or_row(scores.values),
    Attributes: lambda attributes: attributes.values,
    Values: lambda values: _number_or_row(values.values),
    Mask: lambda mask: mask.labels.astype(np.int32),
    MaskScores: lambda mask: mask.values,
    Image: lambda image: np.moveaxis(image.values, -1, 0).astype(np.float32),
    Text: lambda text: text.text,
    Boxes: _boxes,
    ScoredBoxes: _scored_boxes,
}


def _chunks(evidence: Iterable[tuple[Any, Any]]) -> Iterator[list[tuple[Any, Any]]]:
    """Yield `evidence` in its order, what has the same shapes together."""
    for _, alike in itertools.groupby(evidence, key=lambda pair: tuple(map(np.shape, pair))):
        while chunk := list(itertools.islice(alike, _CHUNK)):
            yield chunk


def _tensors(parts: Sequence[Any]) -> Any:
    """Return the `parts` of several samples as a metric is updated with them."""
    if isinstance(parts[0], str):
        return list(parts)
    if isinstance(parts[0], Mapping):
        return [{name: _tensor(array) for name, array in part.items()} for part in parts]
    return _tensor(np.stack(parts))


def _tensor(array: Array) -> torch.Tensor:
    import torch

    return torch.from_numpy(array.astype(array.dtype if array.dtype.kind == "f" else np.int64))


def _numbers(result: Any) -> Array | None:
    """Return the tensor `result` as numbers; None if it is something else."""
    import torch

    if not isinstance(result, torch.Tensor) or not result.numel():
        return None
    numbers: Array = result.detach().double().numpy()
    return numbers


def _of_mapping(result: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
    """Return the first lone number of `result`, and all of them by name."""
    arrays = {name: _numbers(value) for name, value in result.items()}
    components = {
        name: float(array.reshape(())) for name, array in arrays.items() if array is not None and array.size == 1
    }
    if not components:
        raise DataError(f"a mapping of {', '.join(result) or 'nothing'} computed, one with a number expected")
    return next(iter(components.values())), components


def _names(numbers: Array, meta: DatasetMeta) -> list[str]:
    """Return names for several `numbers`: those of the classes where there are as many, else their indices."""
    if sorted(meta.label_map) == list(range(len(numbers))) and numbers.ndim == 1:
        names = class_names(meta)
        return [class_name(names, label) for label in range(len(numbers))]
    return [", ".join(map(str, index)) for index in np.ndindex(numbers.shape)]

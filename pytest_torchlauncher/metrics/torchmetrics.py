"""Metrics of the package torchmetrics."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, OutputError
from ..extras import require
from ..kinds import Metric
from ..registry import register
from ..types import Array, DatasetMeta, MetricValue
from ._classes import class_name, class_names
from ._dotted import check_dotted, resolve
from ._tensors import chunks, prediction_and_target, tensors

__all__ = ["TorchMetrics"]


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
        higher_is_better: for a metric that does not say it itself.
    """

    metric: str
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    higher_is_better: bool | None = None

    def __post_init__(self) -> None:
        """Check that `metric` is a dotted path; it is imported when the first sample comes.

        Raises:
            ValueError: it is none.
        """
        check_dotted(self.metric, "metric")

    def observe(self, annotations: Sequence[Any], predictions: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Return what becomes the prediction and the target of each sample.

        Raises:
            OutputError: there is no such metric, it cannot be built, it does not say whether higher values are better,
                or annotations and predictions are of classes that it does not take.
            MissingExtraError: torchmetrics is not installed.
        """
        # A metric that cannot be built is told before the whole dataset has gone through the model.
        _ = self._rises
        return [prediction_and_target(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[tuple[Any, Any]], meta: DatasetMeta) -> MetricValue:
        """Return what the metric computes.

        Several numbers become the components, under the names of the classes where there are as many, and their mean
        the value; those that are NaN, of classes that do not occur, are left out. Of a mapping, as detection metrics
        return it, the first number is the value.

        Raises:
            DataError: there is no sample, the metric refuses them, or computes something else.
        """
        if not len(evidence):
            raise DataError(f"no sample found, at least one expected for {self.metric}")
        metric = self._built.clone()
        try:
            for chunk in chunks(evidence):
                metric.update(*map(tensors, zip(*chunk, strict=True)))
            result = metric.compute()
        # Each metric of torchmetrics has its own.
        except Exception as error:
            given = " and ".join(_shape(parts) for parts in zip(*evidence, strict=True))
            raise DataError(f"{self.metric} refuses {given}: {_first_line(error)}; correct metric or kwargs") from None
        value, components = _of_mapping(result) if isinstance(result, Mapping) else self._of_tensor(result, meta)
        return MetricValue(
            value,
            components,
            higher_is_better=self._rises,
            bounded=(metric.plot_lower_bound, metric.plot_upper_bound) == (0, 1),
        )

    @functools.cached_property
    def _built(self) -> Any:
        base = require("torchmetrics", "torchmetrics").Metric
        found = resolve(self.metric, "metric", "install what it needs")
        with warnings.catch_warnings():
            # The evidence of all samples is kept in any case.
            warnings.filterwarnings("ignore", message=".* will save all ")
            try:
                metric = found(**_plain(self.kwargs)) if callable(found) else found
            except Exception as error:
                raise OutputError(f"kwargs: {self.metric} cannot be built: {_first_line(error)}") from None
        if isinstance(found, base) or not isinstance(metric, base):
            raise OutputError(f"metric: {self.metric} is no class of a torchmetrics.Metric, one expected")
        return metric

    @property
    def _rises(self) -> bool:
        """Whether higher values are better."""
        rises = self._built.higher_is_better if self.higher_is_better is None else self.higher_is_better
        if rises is None:
            raise OutputError(f"{self.metric} does not say whether higher values are better; set higher_is_better")
        return bool(rises)

    def _of_tensor(self, result: Any, meta: DatasetMeta) -> tuple[float, dict[str, float]]:
        numbers = _numbers(result)
        if numbers is None or (numbers.ndim > 1 and numbers.size > 1):
            computed = f"a {type(result).__name__}" if numbers is None else f"numbers {numbers.shape}"
            raise DataError(f"{self.metric} computed {computed}, one number, one a class or a mapping expected")
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
    if sorted(meta.label_map) == list(range(len(numbers))):
        names = class_names(meta)
        return [class_name(names, label) for label in range(len(numbers))]
    return list(map(str, range(len(numbers))))


def _shape(parts: Sequence[Any]) -> str:
    """Return what samples like the first of `parts` are together."""
    return f"{len(parts)} x {np.shape(parts[0])}" if isinstance(parts[0], np.ndarray) else f"{len(parts)} samples"


def _first_line(error: Exception) -> str:
    """Return what `error` says, without the advice that follows."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__

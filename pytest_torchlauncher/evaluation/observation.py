"""What a metric sees of a batch: annotations and predictions of the classes that it measures."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import OutputError, told
from ..plan import MetricSpec
from ..types import Annotation, Named, Pair

__all__ = ["annotation_digest", "observed"]


def observed(spec: MetricSpec, pairs: Sequence[Pair]) -> list[Any]:
    """Return the evidence of each sample of a batch.

    Raises:
        OutputError: the metric cannot measure these annotations or predictions.
    """
    metric = spec.metric.block
    with told(spec.name, spec.metric.where.own, OutputError):
        annotations = [_taken(p.annotation, metric.takes[0], "annotation", spec.annotation_source) for p in pairs]
        predictions = [_taken(p.prediction, metric.takes[1], "prediction", spec.prediction_source) for p in pairs]
        evidence = list(metric.observe(annotations, predictions))
        if len(evidence) != len(pairs):
            raise OutputError(f"evidence of {len(evidence)} samples for {len(pairs)}; one a sample expected")
    return evidence


def _taken(value: Any, takes: tuple[type, ...], side: str, source: str | None) -> Any:
    """Return `value`, or the part of it that a metric which `takes` such classes measures."""
    if isinstance(value, Named) and (takes or source):
        value = value.parts[_name(value, takes, side, source)]
    if takes and not isinstance(value, takes):
        wanted = " or ".join(kind.__name__ for kind in takes)
        raise OutputError(f"{side} of type {type(value).__name__} found, {wanted} expected by this metric")
    return value


def _name(value: Named, takes: tuple[type, ...], side: str, source: str | None) -> str:
    try:
        return value.pick(takes, source)
    except OutputError as error:
        raise OutputError(f"{side}: {error.message}: {side}_source") from None


def annotation_digest(annotation: Annotation) -> str:
    """Return a line of text that is another for every other `annotation`: its repr, arrays by their SHA-256."""
    return _line(annotation)


def _line(value: Any) -> str:
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
        return f"{_text(value.dtype)} {value.shape} {content}"
    kind: type = type(value)
    if (names := _fields(kind)) is not None:
        return f"{kind.__name__}({', '.join([f'{name}={_line(getattr(value, name))}' for name in names])})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name!r}: {_line(part)}' for name, part in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_line, value))})"
    return repr(value)


# Every annotation asks for both, and neither is quick.
@functools.cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields of a dataclass, None of another class."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


@functools.cache
def _text(dtype: np.dtype[Any]) -> str:
    return str(dtype)

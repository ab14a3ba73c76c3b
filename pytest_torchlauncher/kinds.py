"""The six kinds of building block that a launcher file names, and that a project or package may add to.

A kind is an abstract class here, a folder of this package and a key of the launcher file. A block is a final class in
one file of that folder, registered under its name; its constructor's signature is the schema of its options, so it is
typed, has defaults, and checks in ``__post_init__`` what types cannot say (raising ValueError). Blocks are frozen and
import torch, torchvision and cv2 inside their methods only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from .types import (
    Annotations,
    Batch,
    Color,
    Curve,
    Data,
    DatasetMeta,
    MetricValue,
    Outputs,
    Pair,
    Prediction,
    Sample,
    Size,
)

__all__ = ["Adapter", "Block", "Converter", "Metric", "Postprocessor", "Preprocessor", "Reader"]

AnnotationT = TypeVar("AnnotationT")
PredictionT = TypeVar("PredictionT")


class Block(ABC):
    """Base of all kinds; `kind` is the name of the folder, `selector` the key that names a block in the file."""

    kind: ClassVar[str]
    selector: ClassVar[str] = "type"

    @property
    def is_own(self) -> bool:
        """Whether this is a block of this package, not of a project or of another one."""
        return type(self).__module__.startswith(f"{__name__.partition('.')[0]}.")

    @property
    def on_threads(self) -> bool:
        """Whether several threads may run this block at a time, on samples in any order, with the same results.

        A project's own block says so by ``on_threads = True``; until then it sees one sample after the other.
        """
        return self.is_own


class Converter(Block):
    """Reads a dataset's annotations."""

    kind: ClassVar[str] = "converters"
    selector: ClassVar[str] = "converter"

    @abstractmethod
    def convert(self) -> Annotations:
        """Return all annotated items in a stable order.

        Raises:
            MissingDataError: the annotation file or folder is not there.
            DataError: it is there and cannot be used.
        """


class Reader(Block):
    """Turns the stored bytes of one item into an array."""

    kind: ClassVar[str] = "readers"

    @abstractmethod
    def decode(self, content: bytes) -> tuple[Data, Color | None]:
        """Return the item, an image as (H, W, C) with the order of its channels.

        Raises:
            ValueError: `content` cannot be decoded.
        """

    def fetch(self, root: Path, identifier: str) -> bytes:
        """Return the stored bytes of `identifier`; by default those of the file ``root / identifier``."""
        return (root / identifier).read_bytes()


class Preprocessor(Block):
    """One step on a sample before it reaches the model."""

    kind: ClassVar[str] = "preprocessing"
    takes_levels: ClassVar[bool] = False
    """Whether this step takes images as `Levels`; others get arrays."""

    @abstractmethod
    def apply(self, sample: Sample) -> Sample:
        """Return the sample after this step; `sample` itself stays as it is.

        Raises:
            ValueError: the sample's data does not suit this step.
        """

    def suited_to(self, input_size: Size | None) -> Preprocessor:
        """Return this step for a model whose image input has `input_size`, None where the launcher does not state it.

        Raises:
            DataError: this step cannot do without.
        """
        return self


class Adapter(Block):
    """Turns raw outputs into typed predictions."""

    kind: ClassVar[str] = "adapters"

    @abstractmethod
    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return one prediction for each sample of `batch`, in its order.

        Raises:
            OutputError: the outputs do not suit this adapter.
        """


class Postprocessor(Block):
    """One step on an annotation and its prediction before they reach the metrics."""

    kind: ClassVar[str] = "postprocessing"

    @abstractmethod
    def apply(self, pair: Pair) -> Pair:
        """Return annotation and prediction after this step; `pair` itself stays as it is.

        Raises:
            OutputError: the annotation or prediction does not suit this step.
        """


class Metric(Block, Generic[AnnotationT, PredictionT]):
    """Measures predictions against annotations: ``class Dice(Metric[Mask, Mask | MaskScores])``.

    A metric keeps no state: `observe` gives the evidence of each sample, `summarize` turns any collection of evidence
    into the value. The same evidence serves the whole dataset, a slice, a subset and a resampling.

    `takes` are the classes of annotations and of predictions that it measures, those in the brackets; none is any.
    What reaches `observe` is of these classes, picked by them where a sample has several named annotations or
    predictions.
    """

    kind: ClassVar[str] = "metrics"
    takes: ClassVar[tuple[tuple[type, ...], tuple[type, ...]]] = ((), ())

    def __init_subclass__(cls, **options: Any) -> None:
        """Take `takes` from the brackets behind the base class."""
        super().__init_subclass__(**options)
        for base in cls.__dict__.get("__orig_bases__", ()):
            if isinstance(get_origin(base), type) and issubclass(get_origin(base), Metric):
                annotations, predictions = get_args(base)
                cls.takes = (_classes(annotations), _classes(predictions))

    @property
    def is_mean(self) -> bool:
        """Whether the value over any samples is the mean of what each of them scores alone, as of an accuracy.

        Samples that score nothing alone (NaN) are left out. The stored outcomes of the samples are then all that a
        comparison of parts of the dataset needs.
        """
        return False

    @abstractmethod
    def observe(self, annotations: Sequence[AnnotationT], predictions: Sequence[PredictionT]) -> Sequence[Any]:
        """Return the evidence of each sample of a batch.

        Raises:
            OutputError: predictions or annotations that this metric cannot measure.
        """

    @abstractmethod
    def summarize(self, evidence: Sequence[Any], meta: DatasetMeta) -> MetricValue:
        """Return the metric's value over `evidence`, in the order of the samples.

        Raises:
            DataError: `meta` lacks what the metric needs.
        """

    def curves(self, evidence: Sequence[Any], meta: DatasetMeta) -> Mapping[str, Curve]:
        """Return what a report draws beside the value, by name: precision over recall, say. By default nothing."""
        return {}


def _classes(annotation: Any) -> tuple[type, ...]:
    """Return the classes that an annotation such as ``Mask | MaskScores`` stands for; none for Any."""
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,) if isinstance(annotation, type) and annotation is not Any else ()

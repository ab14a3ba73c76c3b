"""What annotations and predictions say, one small class a task.

Arrays are plain numpy. Coordinates are continuous and in px of the original image unless `frame` says otherwise:
(0, 0) is the upper left corner of the image, (0.5, 0.5) the centre of its first pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..errors import OutputError
from .arrays import Array, Color, Frame
from .objects import Boxes, InstanceMasks, Keypoints, ScoredBoxes, ScoredKeypoints, ScoredMasks

__all__ = [
    "Annotation",
    "Attributes",
    "DepthMap",
    "Embedding",
    "Identity",
    "Image",
    "InFile",
    "Label",
    "Landmarks",
    "Mask",
    "MaskScores",
    "Matte",
    "Named",
    "Prediction",
    "Scores",
    "Text",
    "Values",
]


@dataclass(frozen=True, slots=True)
class Label:
    """A class index, as annotation or as the prediction of a model that returns class ids."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one sample over all classes: `values` (C,) float, logits or probabilities; the largest wins."""

    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """Attributes that a sample has or not: `values` (K,) int64, 1 it has, 0 it has not, -1 nobody knows."""

    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The landmarks of one face.

    Args:
        points: (K, 2) float64, x and y in `frame`.
        frame: what the coordinates refer to.
        eyes: indices of the points of the left and of the right eye, whose mean is its centre; empty if not known.
    """

    points: Array
    frame: Frame = "original"
    eyes: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A class for every pixel: `labels` (H, W) integer, negative where there is none, or colours (H, W, 3) uint8.

    A prediction in `frame` ``input`` covers the model's input, at any resolution.
    """

    labels: Array
    frame: Frame = "original"


@dataclass(frozen=True, slots=True, eq=False)
class MaskScores:
    """Scores of every pixel over all classes: `values` (C, H, W) float; see `Mask` for `frame`.

    They are NaN for pixels of the original image that the input did not show.
    """

    values: Array
    frame: Frame = "original"

    @property
    def labels(self) -> Array:
        """The class (H, W) int64 with the highest score, the first of equal ones; -1 where the scores are NaN."""
        # The index of NaN, where there is one, is that of the highest.
        labels = self.values.argmax(axis=0)
        highest = np.take_along_axis(self.values, labels[np.newaxis], axis=0)[0]
        return np.where(np.isnan(highest), -1, labels)


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """How much of every pixel is foreground: `values` (H, W), from 0 to 255; see `Mask` for `frame`."""

    values: Array
    frame: Frame = "original"


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """The depth of every pixel: `values` (H, W) float; see `Mask` for `frame`.

    `valid` (H, W) bool tells which are known; an empty array: all are.
    """

    values: Array
    frame: Frame = "original"
    valid: Array = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image as target or output of a model: `values` (H, W, C) uint8 or float; see `Mask` for `frame`."""

    values: Array
    color: Color | None = None
    frame: Frame = "original"


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Numbers that a model estimates: `values` of any shape, float."""

    values: Array


@dataclass(frozen=True, slots=True)
class Text:
    """A text, as annotation or as what a model read."""

    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is on an image of a re-identification dataset, seen by which camera.

    `query` tells the images that are looked for from those among which they are.
    """

    person: int
    camera: int
    query: bool


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What a model makes of a sample to compare it with others: `values` (D,) float."""

    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """Several annotations, or predictions, of one sample by name: those of a model that does several tasks."""

    parts: Mapping[str, Any]

    def pick(self, takes: tuple[type, ...], source: str | None = None) -> str:
        """Return the name of the part that is one of the classes `takes`, or of the part `source`.

        Raises:
            OutputError: there is no such part, or several and `source` says not which.
        """
        there = ", ".join(f"{name} ({type(part).__name__})" for name, part in self.parts.items())
        if source is not None:
            if source not in self.parts:
                raise OutputError(f"no part is called {source!r}; there are {there}")
            return source
        names = [name for name, part in self.parts.items() if isinstance(part, takes)]
        if len(names) != 1:
            wanted = " or ".join(kind.__name__ for kind in takes)
            raise OutputError(f"{len(names)} parts of type {wanted} found among {there}; name the one that is meant")
        return names[0]

    def with_part(self, name: str, part: Any) -> Named:
        """Return these with another part `name`."""
        return Named({**self.parts, name: part})


@dataclass(frozen=True, slots=True, eq=False)
class InFile:
    """An annotation that lies in a file of its own, and is read with its sample.

    Args:
        file: its path, relative to `segmentation_masks_source` or `additional_data_source` of the dataset where that
            is given, else to `root`, else to `data_source`.
        decode: makes the annotation of the file's content, and raises ValueError where it cannot.
        root: the folder that the converter's own options name.
    """

    file: str
    decode: Callable[[bytes], Any]
    root: Any = None


Annotation: TypeAlias = (
    Label | Attributes | Boxes | InstanceMasks | Keypoints | Landmarks | Mask | Matte | DepthMap | Image | Values | Text
    | Identity | Named
)  # fmt: skip
Prediction: TypeAlias = (
    Scores | Label | Attributes | ScoredBoxes | ScoredMasks | ScoredKeypoints | Landmarks | Mask | MaskScores | Matte
    | DepthMap | Image | Values | Text | Embedding | Named
)  # fmt: skip

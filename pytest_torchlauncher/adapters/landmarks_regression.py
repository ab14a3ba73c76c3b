"""Landmarks of a face as coordinates one after another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Landmarks, Outputs, Prediction
from ._rows import batched

__all__ = ["LandmarksRegression"]


@register("landmarks_regression")
@dataclass(frozen=True, kw_only=True)
class LandmarksRegression(Adapter):
    """Coordinates x, y of one landmark after another, where the sides of the model's input are 1.

    Args:
        landmarks_out: name of the output or a regular expression for it; the first by default.
        landmarks_step: how many numbers belong to a landmark; x and y come first.
        is_hand_landmarks: accepted; the landmarks of hands are `Landmarks` as well.
    """

    landmarks_out: str | None = None
    landmarks_step: int = 2
    is_hand_landmarks: bool = False

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: a landmark has no y, or `landmarks_out` is no regular expression.
        """
        if self.landmarks_step < 2:
            raise ValueError(f"landmarks_step: {self.landmarks_step} found, at least 2 (x and y) expected")
        try:
            re.compile(self.landmarks_out or "")
        except re.error as error:
            raise ValueError(f"landmarks_out: {self.landmarks_out!r} is no regular expression: {error}") from None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return `Landmarks` (K, 2) of each sample in the frame ``normalized``.

        Raises:
            OutputError: no such output, not one row a sample, or no whole number of landmarks in a row.
        """
        output = outputs.select(self.landmarks_out)
        return [Landmarks(points, "normalized") for points in self._points(batched(output, len(batch.samples)))]

    def _points(self, rows: Array) -> Array:
        """Return x and y of the landmarks (B, K, 2) in `rows` (B, …)."""
        numbers = rows[0].size
        if numbers % self.landmarks_step:
            raise OutputError(
                f"{numbers} numbers a sample found, a multiple of landmarks_step: {self.landmarks_step} expected"
            )
        step = self.landmarks_step
        return rows.reshape(len(rows), numbers // step, step)[..., :2].astype(np.float64)

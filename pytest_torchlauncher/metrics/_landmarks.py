"""Distances between annotated and predicted landmarks."""

from __future__ import annotations

import numpy as np

from ..errors import OutputError
from ..types import Array, Landmarks

__all__ = ["normed_distances"]

_EPSILON = np.finfo(np.float64).eps


def normed_distances(annotation: Landmarks, prediction: Landmarks) -> Array:
    """Return how far each point is from its annotation, (K,), in distances between the annotated eyes' centres.

    The distance of the eyes is the float64 epsilon at least.

    Raises:
        OutputError: points of another number or frame, or nobody knows where the eyes are.
    """
    if annotation.points.shape != prediction.points.shape:
        raise OutputError(
            f"{len(prediction.points)} landmarks found for {len(annotation.points)} annotated ones; "
            "check the adapter's options and the model's output"
        )
    if annotation.frame != prediction.frame:
        raise OutputError(
            f"landmarks in the frame {prediction.frame!r} found for annotated ones in {annotation.frame!r}; "
            "add normalize_landmarks_points to the postprocessing"
        )
    between = np.linalg.norm(np.subtract(*_eye_centres(annotation)))
    distances: Array = np.linalg.norm(annotation.points - prediction.points, axis=1) / max(between, _EPSILON)
    return distances


def _eye_centres(landmarks: Landmarks) -> tuple[Array, Array]:
    left, right = landmarks.eyes
    if not left or not right or max(*left, *right) >= len(landmarks.points):
        raise OutputError(
            f"eyes {landmarks.eyes} of {len(landmarks.points)} landmarks found, indices of landmarks of the left and "
            "of the right eye expected from the converter"
        )
    return landmarks.points[list(left)].mean(axis=0), landmarks.points[list(right)].mean(axis=0)

"""Random landmarks, and their errors by a plain loop over the definition."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from pytest_torchlauncher.types import Landmarks

EYES = ((1, 0), (2, 3))


@st.composite
def faces(draw):
    """Draw annotated and predicted landmarks of several faces, some of them equal."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count, points = draw(st.integers(1, 12)), draw(st.integers(4, 9))
    truth, estimates = rng.uniform(-5, 60, (2, count, points, 2))
    estimates[rng.random((count, points)) < 0.2] = 0
    estimates[0] = truth[0]
    return [Landmarks(face, eyes=EYES) for face in truth], [Landmarks(face) for face in estimates]


def point_errors(annotation, prediction):
    """Return the distance of each landmark, where 1 is that of the eyes' centres."""
    left, right = (
        [sum(annotation.points[index][axis] for index in eye) / len(eye) for axis in (0, 1)] for eye in annotation.eyes
    )
    between = math.dist(left, right)
    return [math.dist(a, p) / between for a, p in zip(annotation.points, prediction.points, strict=True)]

"""Pictures of the samples that were right and are wrong now, with what was predicted before and now."""

from __future__ import annotations

import base64
import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..baselines.evidence import unpack_evidence
from ..gating.keeping import DRAWN
from ..gating.pairs import Paired, paired, places
from ..opencv import opencv
from ..types import FULL, NO_CLASS, Array, Drawing, Measurement, Outcomes

__all__ = ["Showcase"]

_PICTURES = 20
"""Samples of an evaluation that are shown at most."""


@dataclass(frozen=True)
class Showcase:
    """Chooses and describes the samples of a measurement that became worse than in the outcomes `before`."""

    before: Outcomes

    def chosen(self, measurement: Measurement) -> Sequence[int]:
        """Return the positions of the samples that fell, those of the first metrics and the deepest falls first.

        Where every sample is right or wrong, the surest errors come first.
        """
        at = places(self.before, measurement.outcomes)
        found: dict[int, None] = {}
        for name in measurement.metrics:
            pair = paired(name, measurement, self.before, at)
            found.update(dict.fromkeys(_falls(pair, measurement.outcomes) if pair else ()))
        return list(found)[:_PICTURES]

    def pictures(self, measurement: Measurement) -> list[Mapping[str, Any]]:
        """Return what a report shows of the samples that have a thumbnail.

        Raises:
            BaselineError: stored evidence is damaged.
        """
        at = places(self.before, measurement.outcomes)
        if at is None or not measurement.thumbnails:
            return []
        stored = _drawings(self.before)
        return [
            self._picture(measurement, position, at[position], stored[at[position]] if stored else None)
            for position in measurement.thumbnails
        ]

    def _picture(self, measurement: Measurement, position: int, at: int, drawing: Drawing | None) -> Mapping[str, Any]:
        thumbnail, outcomes = measurement.thumbnails[position], measurement.outcomes
        now = measurement.drawings[position] if measurement.drawings else None
        scores = ((name, self.before.columns.get(name), outcomes.columns[name]) for name in _metric_columns(outcomes))
        return {
            "id": outcomes.ids[position],
            "image": base64.b64encode(thumbnail.content).decode("ascii"),
            "size": list(thumbnail.size) if thumbnail.size else None,
            "outcomes": [
                {"metric": name.removeprefix("metric:"), "before": _number(old[at]), "now": _number(new[position])}
                for name, old, new in scores
                if old is not None and _number(old[at]) != _number(new[position])
            ],
            "annotated": _shown(
                thumbnail.annotation, measurement.classes, _class(outcomes, position, "label", measurement)
            ),
            "before": _shown(drawing, measurement.classes, _class(self.before, at, "prediction", measurement)),
            "now": _shown(now, measurement.classes, _class(outcomes, position, "prediction", measurement)),
        }


def _falls(pair: Paired, outcomes: Outcomes) -> Sequence[int]:
    """Return the positions of the samples that became worse, the worst first."""
    changes = np.nan_to_num(pair.changes)
    fallen = np.flatnonzero(changes < 0)
    confidence = outcomes.columns.get("confidence", np.zeros(len(outcomes.ids)))
    return [int(position) for position in fallen[np.lexsort((-confidence[fallen], changes[fallen]))]]


def _metric_columns(outcomes: Outcomes) -> Sequence[str]:
    return [name for name in outcomes.columns if name.startswith("metric:")]


def _drawings(outcomes: Outcomes) -> Sequence[Drawing | None]:
    prefix = f"{DRAWN}/"
    parts = {name.removeprefix(prefix): part for name, part in outcomes.evidence.items() if name.startswith(prefix)}
    return unpack_evidence(parts) if parts else ()


def _class(outcomes: Outcomes, position: int, column: str, measurement: Measurement) -> str:
    """Return the class in `column` with the probability of a prediction; empty where it is not about classes."""
    if column not in outcomes.columns:
        return ""
    index = int(outcomes.columns[column][position])
    name = measurement.classes.get(index, str(index))
    if column == "label" or "confidence" not in outcomes.columns:
        return name
    return f"{name} ({float(outcomes.columns['confidence'][position]):.2f})"


def _shown(drawing: Drawing | None, classes: Mapping[int, str], text: str) -> Mapping[str, Any]:
    """Return what is drawn as builtin types, coordinates from 0 to 1."""
    if drawing is None:
        return {"text": text, "boxes": [], "points": [], "mask": ""}
    names = [classes.get(int(label), str(label)) for label in drawing.labels]
    boxes = [
        {"box": _shares(box), "text": name if score == 100 else f"{name} {score}%"}
        for box, name, score in zip(drawing.boxes, names, drawing.scores, strict=True)
    ]
    mask = base64.b64encode(_colored(drawing.mask)).decode("ascii") if drawing.mask.size else ""
    return {"text": text or drawing.text, "boxes": boxes, "points": [_shares(p) for p in drawing.points], "mask": mask}


def _shares(coordinates: Array) -> list[float]:
    return [round(float(value) / FULL, 4) for value in coordinates]


def _colored(mask: Array) -> bytes:
    """Return a PNG with a colour for each class, transparent where there is none."""
    cv2 = opencv()

    image = np.zeros((*mask.shape, 4), dtype=np.uint8)
    for label in np.unique(mask[mask != NO_CLASS]):
        # Hues a golden angle apart differ for any few classes.
        red, green, blue = colorsys.hsv_to_rgb((int(label) * 0.381966) % 1, 0.8, 1.0)
        image[mask == label] = [round(255 * part) for part in (blue, green, red, 0.55)]
    return bytes(cv2.imencode(".png", image)[1])


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None

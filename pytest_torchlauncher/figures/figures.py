"""The figures of one evaluation, beside what its baseline stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..baselines.store import Store
from ..errors import BaselineError
from ..record import Record
from ..target import Target
from ..types import Measurement, Outcomes
from .charts import charts
from .pictures import Showcase

__all__ = ["Figures", "figures_beside"]


@dataclass(frozen=True)
class Figures:
    """Makes charts and pictures; `before` are the outcomes of the baseline, None where there is none."""

    before: Outcomes | None

    def shown(self, measurement: Measurement) -> Sequence[int]:
        """Return the positions of the samples of which a picture is wanted."""
        try:
            return Showcase(self.before).chosen(measurement) if self.before else ()
        except BaselineError:
            return ()

    def added(self, record: Record, measurement: Measurement) -> Record:
        """Return `record` with its charts and pictures."""
        return replace(record, charts=self._charts(measurement), pictures=self._pictures(measurement))

    def _charts(self, measurement: Measurement) -> tuple[Mapping[str, Any], ...]:
        """Return the charts, without the baseline's part where its file of outcomes is damaged."""
        try:
            return tuple(charts(measurement, self.before))
        except BaselineError:
            return tuple(charts(measurement, None))

    def _pictures(self, measurement: Measurement) -> tuple[Mapping[str, Any], ...]:
        """Return the pictures; none where the baseline's file of outcomes is damaged, which the verdict says."""
        try:
            return tuple(Showcase(self.before).pictures(measurement)) if self.before else ()
        except BaselineError:
            return ()


def figures_beside(target: Target) -> Figures:
    """Return the figures of `target` beside its baseline, or that of another environment."""
    if target.baselines is None:
        return Figures(None)
    store = Store(target.baselines)
    try:
        baseline = store.find(target.key) or store.fallback(target.key)
        return Figures(store.outcomes(baseline) if baseline else None)
    except BaselineError:
        return Figures(None)

"""Mean average precision of re-identification."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ._reid import Query, QueryMetric

__all__ = ["ReidMap"]


@register("reid_map")
@dataclass(frozen=True, kw_only=True)
class ReidMap(QueryMetric):
    """The mean over the queries of the area under the precision as a function of the recall.

    Gallery images at one distance count together, in any order.

    Args:
        interpolated_auc: whether precision runs straight from one recall to the next (trapezoidal rule), else in
            steps, as in scikit-learn's ``average_precision_score``.
    """

    interpolated_auc: bool = True

    def score(self, query: Query) -> float:
        """Return the average precision of `query`."""
        # Only where an image of the person comes in does the recall grow, so no other distance is needed.
        thresholds, found = np.unique(query.distances[query.right], return_counts=True)
        ranked = np.sort(query.distances)
        hits, listed = np.cumsum(found), np.searchsorted(ranked, thresholds, side="right")
        precision = hits / listed
        if self.interpolated_auc:
            before = np.searchsorted(ranked, thresholds, side="left")
            previous = np.divide(hits - found, before, out=np.ones(len(found)), where=before > 0)
            precision = (precision + previous) / 2
        return float(found @ precision / hits[-1])

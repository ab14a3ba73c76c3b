"""Cumulative matching characteristics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..options import PositiveInt
from ..registry import register
from ..types import Array
from ._reid import Query, QueryMetric

__all__ = ["Cmc"]


@register("cmc")
@dataclass(frozen=True, kw_only=True)
class Cmc(QueryMetric):
    """How often an image of the query's person stands among the `top_k` nearest of the gallery: rank@k.

    Of equal distances the earlier image of the dataset is the nearer one.

    Args:
        top_k: how many gallery images may be named.
        separate_camera_set: whether no gallery image of the query's own camera counts, whoever is on it.
        single_gallery_shot: whether the gallery holds one image a person, drawn at random: the setting of CUHK03. The
            draws are the same in every run.
        first_match_break: whether only the nearest image of the person counts, else the part of the person's images
            that have fewer than `top_k` other persons before them; one and the same with `single_gallery_shot`.
        number_single_shot_repeats: how many random galleries `single_gallery_shot` averages over.
    """

    top_k: PositiveInt = 1
    separate_camera_set: bool = False
    single_gallery_shot: bool = False
    first_match_break: bool = True
    number_single_shot_repeats: PositiveInt = 10

    @property
    def only_other_cameras(self) -> bool:
        """Whether no gallery image of the query's own camera counts, whoever is on it."""
        return self.separate_camera_set

    def score(self, query: Query) -> float:
        """Return 1 for a hit and 0 for none, or a part of 1 where several count."""
        if self.single_gallery_shot:
            return float(self._single_shot(query).mean())
        own = np.flatnonzero(query.right)
        if self.first_match_break:
            own = own[[np.argmin(query.distances[own])]]
        return float(np.mean([_others_before(query, place) < self.top_k for place in map(int, own)]))

    def _single_shot(self, query: Query) -> Array:
        """Return whether `query` hits in each random gallery, (R,)."""
        order = np.argsort(query.distances, kind="stable")
        persons, inverse, counts = np.unique(query.persons[order], return_inverse=True, return_counts=True)
        of_persons = np.argsort(inverse, kind="stable")
        first = np.cumsum(counts) - counts
        drawn = np.random.default_rng(query.index).integers(
            counts, size=(self.number_single_shot_repeats, len(persons))
        )
        places = of_persons[first + drawn]
        own = places[:, persons == query.person]
        hits: Array = (places < own).sum(axis=1) < self.top_k
        return hits


def _others_before(query: Query, place: int) -> int:
    """Return how many images of other persons are nearer than the gallery image at `place`."""
    nearer = query.distances < query.distances[place]
    nearer[:place] |= query.distances[:place] == query.distances[place]
    return int(np.count_nonzero(nearer & ~query.right))

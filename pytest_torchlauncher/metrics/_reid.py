"""Queries among the gallery images that they are compared with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..errors import DataError, OutputError
from ..kinds import Metric
from ..types import Array, DatasetMeta, Embedding, Identity, MetricValue

__all__ = ["Query", "QueryMetric"]

Evidence: TypeAlias = tuple[Identity, Array]

_BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query beside the gallery images that count for it, in the order of the dataset.

    Args:
        index: its place among the samples.
        person: who is looked for.
        persons: (G,) int64, who is on the gallery images; `person` on one of them at least.
        distances: (G,) float64, of the gallery images: 1 minus the dot product of the embeddings.
    """

    index: int
    person: int
    persons: Array
    distances: Array

    @property
    def right(self) -> Array:
        """Which gallery images (G,) show the person."""
        shown: Array = self.persons == self.person
        return shown


class QueryMetric(Metric[Identity, Embedding]):
    """Base of the means over the queries.

    Gallery images of the query's own person and camera never count, and a query without any other image of its person
    is left out, as in the evaluation of Market-1501.
    """

    def observe(self, annotations: Sequence[Identity], predictions: Sequence[Embedding]) -> Sequence[Evidence]:
        """Return who is on each sample, and its embedding (D,).

        Raises:
            OutputError: an embedding is no vector, or holds NaN or infinity.
        """
        for prediction in predictions:
            if prediction.values.ndim != 1:
                raise OutputError(
                    f"an embedding {prediction.values.shape} found, a vector (D,) expected; set keep_shape: false"
                )
            if not np.isfinite(prediction.values).all():
                raise OutputError("NaN or infinity found in an embedding, finite numbers expected")
        return [(who, prediction.values) for who, prediction in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean over the queries, and what each scores; NaN for gallery images and queries left out.

        Raises:
            OutputError: embeddings of different lengths.
            DataError: no query is left.
        """
        per_sample = np.full(len(evidence), np.nan)
        for query in _queries(evidence, self.only_other_cameras):
            per_sample[query.index] = self.score(query)
        if np.isnan(per_sample).all():
            queries = sum(who.query for who, _ in evidence)
            raise DataError(
                f"{queries} queries and {len(evidence) - queries} gallery images found, at least one query expected "
                "whose person another camera sees in the gallery"
            )
        return MetricValue(float(np.nanmean(per_sample)), per_sample=per_sample)

    @property
    def only_other_cameras(self) -> bool:
        """Whether no gallery image of the query's own camera counts, whoever is on it."""
        return False

    @abstractmethod
    def score(self, query: Query) -> float:
        """Return what `query` scores, from 0 to 1."""


def _queries(evidence: Sequence[Evidence], only_other_cameras: bool) -> Iterator[Query]:
    persons, cameras, asked = np.array(
        [(who.person, who.camera, who.query) for who, _ in evidence], dtype=np.int64
    ).reshape(-1, 3).T  # fmt: skip
    gallery = np.flatnonzero(asked == 0)
    for index, distances in _distances(_vectors(evidence), np.flatnonzero(asked), gallery):
        same_person = persons[gallery] == persons[index]
        other_camera = cameras[gallery] != cameras[index]
        counts = other_camera if only_other_cameras else other_camera | ~same_person
        if (same_person & counts).any():
            yield Query(index, int(persons[index]), persons[gallery][counts], distances[counts])


def _vectors(evidence: Sequence[Evidence]) -> Array:
    lengths = sorted({len(embedding) for _, embedding in evidence})
    if len(lengths) > 1:
        raise OutputError(
            f"embeddings of {' and '.join(map(str, lengths))} numbers found, all of the same length expected"
        )
    return np.array([embedding for _, embedding in evidence], dtype=np.float64)


def _distances(vectors: Array, queries: Array, gallery: Array) -> Iterator[tuple[int, Array]]:
    """Yield each query's index and distances (G,), of a block of queries at a time so that memory stays small."""
    compared = vectors[gallery].T
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK]
        yield from zip(map(int, block), 1.0 - vectors[block] @ compared, strict=True)

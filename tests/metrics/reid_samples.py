"""Random galleries and queries for the tests of the re-identification metrics."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from pytest_torchlauncher.types import DatasetMeta, Embedding, Identity

IDENTITIES = st.lists(st.builds(Identity, st.integers(0, 4), st.integers(0, 2), st.booleans()), max_size=25)


def embedded(identities, seed, ties=False):
    """Return an embedding of each identity; with `ties` many distances are equal, and exactly so."""
    rng = np.random.default_rng(seed)
    if ties:
        return rng.integers(-1, 2, (len(identities), 2)).astype(np.float64)
    vectors = rng.normal(size=(len(identities), 8))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def observed(metric, identities, vectors):
    return metric.observe(identities, [Embedding(vector) for vector in vectors])


def measured(metric, identities, vectors):
    return metric.summarize(observed(metric, identities, vectors), DatasetMeta())


def ranked(identities, vectors, index, separate=False, ties=False):
    """Return (distance, person) of the gallery images that count for the query at `index`, from near to far."""
    query = identities[index]
    listed = []
    for other, who in enumerate(identities):
        same_camera = who.camera == query.camera
        if who.query or (same_camera and (separate or who.person == query.person)):
            continue
        if ties:
            distance = 1 - sum(float(a) * float(b) for a, b in zip(vectors[index], vectors[other], strict=True))
        else:
            distance = cdist(vectors[[index]], vectors[[other]], "cosine").item()
        listed.append((distance, other, who.person))
    return [(distance, person) for distance, _, person in sorted(listed)]


def asked(identities, vectors, separate=False, ties=False):
    """Yield index, person and ranking of each query whose person the gallery shows."""
    for index, who in enumerate(identities):
        if who.query:
            ranking = ranked(identities, vectors, index, separate, ties)
            if any(person == who.person for _, person in ranking):
                yield index, who.person, ranking

"""The cmc metric against a second implementation, written from its definition."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reid_samples import IDENTITIES, asked, embedded, measured, observed

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.cmc import Cmc
from pytest_torchlauncher.types import DatasetMeta, Identity


def hit(person, ranking, top_k, first):
    """Return how many of the person's images have fewer than `top_k` others before them, as a fraction."""
    others, hits = 0, []
    for _, shown in ranking:
        if shown == person:
            hits.append(others < top_k)
        else:
            others += 1
    return float(hits[0]) if first else sum(hits) / len(hits)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    identities=IDENTITIES,
    seed=st.integers(0, 99),
    ties=st.booleans(),
    top_k=st.integers(1, 5),
    separate=st.booleans(),
    first=st.booleans(),
)
def test_agrees_with_the_definition(identities, seed, ties, top_k, separate, first):
    vectors = embedded(identities, seed, ties)
    expected = {
        i: hit(person, ranking, top_k, first) for i, person, ranking in asked(identities, vectors, separate, ties)
    }
    assume(expected)
    result = measured(Cmc(top_k=top_k, separate_camera_set=separate, first_match_break=first), identities, vectors)
    assert result.value == pytest.approx(np.mean(list(expected.values())), abs=1e-12)
    per_sample = [expected.get(index, np.nan) for index in range(len(identities))]
    np.testing.assert_allclose(result.per_sample, per_sample, atol=1e-12)


def all_galleries(person, ranking, top_k):
    """Return the mean over every gallery with one image a person, where all are as likely."""
    places = {}
    for place, (_, shown) in enumerate(ranking):
        places.setdefault(shown, []).append(place)
    galleries = [dict(zip(places, drawn, strict=True)) for drawn in product(*places.values())]
    return np.mean([sum(p < gallery[person] for p in gallery.values()) < top_k for gallery in galleries])


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 99), top_k=st.integers(1, 3), separate=st.booleans(), first=st.booleans())
def test_random_galleries_with_one_image_a_person(seed, top_k, separate, first):
    rng = np.random.default_rng(seed)
    identities = [Identity(int(rng.integers(4)), int(rng.integers(3)), bool(index < 2)) for index in range(11)]
    vectors = embedded(identities, seed)
    expected = {i: all_galleries(person, ranking, top_k) for i, person, ranking in asked(identities, vectors, separate)}
    assume(expected)
    options = {"top_k": top_k, "separate_camera_set": separate, "first_match_break": first, "single_gallery_shot": True}
    result = measured(Cmc(**options, number_single_shot_repeats=4000), identities, vectors)
    per_sample = [expected.get(index, np.nan) for index in range(len(identities))]
    np.testing.assert_allclose(result.per_sample, per_sample, atol=0.05)
    again = measured(Cmc(**options, number_single_shot_repeats=4000), identities, vectors)
    np.testing.assert_array_equal(result.per_sample, again.per_sample)


def test_random_galleries_are_ten():
    identities = [Identity(0, 0, True), *[Identity(person, 1, False) for person in (0, 0, 1, 1)]]
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.5, 0], [-1, 0]])
    value = measured(Cmc(single_gallery_shot=True), identities, vectors).value
    assert 0 < value < 1
    assert value * 10 == pytest.approx(round(value * 10))
    one = measured(Cmc(single_gallery_shot=True, number_single_shot_repeats=1), identities, vectors).value
    assert one in (0, 1)


WORLD = [
    Identity(7, 0, query=True),
    Identity(7, 0, query=False),  # the query's own camera: never counts
    Identity(8, 0, query=False),  # another person seen by it: counts unless separate_camera_set
    Identity(8, 1, query=False),
    Identity(7, 1, query=False),
    Identity(8, 2, query=False),
    Identity(7, 2, query=False),
    Identity(9, 1, query=True),  # nobody in the gallery: left out
]
PLANE = np.array([[1, 0], [1, 0], [0.9, 0], [0.8, 0], [0.7, 0], [0.6, 0], [0.5, 0], [1, 0]])


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 0),
        ({"top_k": 2}, 0),
        ({"top_k": 3}, 1),
        ({"top_k": 2, "separate_camera_set": True}, 1),
        ({"top_k": 3, "first_match_break": False}, 0.5),
        ({"top_k": 4, "first_match_break": False}, 1),
        ({"top_k": 500}, 1),
    ],
)
def test_options(options, value):
    result = measured(Cmc(**options), WORLD, PLANE)
    assert result.value == value
    np.testing.assert_array_equal(result.per_sample, [value, *[np.nan] * 7])
    assert result.higher_is_better
    assert result.bounded


def test_of_equal_distances_the_earlier_image_is_nearer():
    identities = [Identity(1, 0, True), Identity(2, 1, False), Identity(1, 1, False)]
    assert measured(Cmc(), identities, np.ones((3, 2))).value == 0
    assert measured(Cmc(), [identities[index] for index in (0, 2, 1)], np.ones((3, 2))).value == 1


def test_a_resampling_is_a_dataset_of_its_own():
    identities = [Identity(person, camera, camera == 0) for person in range(6) for camera in range(3)]
    vectors = embedded(identities, 5)
    drawn = [0, 4, 4, 3, 1, 2, 0, 9, 10, 17, 15, 3]
    evidence = observed(Cmc(), identities, vectors)
    result = Cmc().summarize([evidence[index] for index in drawn], DatasetMeta())
    alone = measured(Cmc(), [identities[index] for index in drawn], vectors[drawn])
    assert result.value == alone.value
    np.testing.assert_array_equal(result.per_sample, alone.per_sample)


def test_many_queries_go_through_in_blocks():
    identities = [Identity(person, camera, camera == 0) for person in range(600) for camera in range(2)]
    vectors = embedded(identities, 1)
    vectors[1::2] = vectors[::2]
    result = measured(Cmc(), identities, vectors)
    assert result.value == 1
    assert np.isfinite(result.per_sample).sum() == 600


@pytest.mark.parametrize(
    ("identities", "counts"),
    [
        ([], "0 queries and 0"),
        ([Identity(1, 0, True)], "1 queries and 0"),
        ([Identity(1, 0, False)], "0 queries and 1"),
        ([Identity(1, 0, True), Identity(1, 0, False), Identity(2, 1, False)], "1 queries and 2"),
    ],
)
def test_a_query_must_be_left(identities, counts):
    with pytest.raises(DataError) as caught:
        measured(Cmc(), identities, np.ones((len(identities), 2)))
    assert str(caught.value) == (
        f"{counts} gallery images found, at least one query expected whose person another camera sees in the gallery"
    )


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((2, 3, 1)), "an embedding (3, 1) found, a vector (D,) expected; set keep_shape: false"),
        ([[1, np.nan], [1, 2]], "NaN or infinity found in an embedding, finite numbers expected"),
        ([[1, np.inf], [1, 2]], "NaN or infinity found in an embedding, finite numbers expected"),
        ([[1, 2, 3], [1, 2]], "embeddings of 2 and 3 numbers found, all of the same length expected"),
    ],
)
def test_embeddings_that_cannot_be_compared(vectors, message):
    with pytest.raises(OutputError) as caught:
        measured(Cmc(), [Identity(1, 0, True), Identity(1, 1, False)], [np.array(vector) for vector in vectors])
    assert str(caught.value) == message

"""Subsets of re-identification datasets against a second, literal implementation of the same draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.data.reid_subset import reid_subset
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.types import Identity

IDENTITIES = st.lists(st.builds(Identity, st.integers(0, 5), st.integers(0, 2), st.booleans()), min_size=1, max_size=25)


def literal(identities, size, order):
    """Return the subset by lists only, as the steps of the draw are told."""
    subset = []
    for index in order[:size]:
        who = identities[index]
        pairs = [i for i, other in enumerate(identities) if other.person == who.person and other.query != who.query]
        if not pairs:
            continue
        if index not in subset:
            subset.append(index)
        present = [i for i in pairs if i in subset]
        subset += [i for i in pairs if i not in subset]
        if len(subset) == size:
            return subset
        if len(subset) > size:
            subset = [i for i in subset if i in present or (i not in pairs and i != index)]
    return subset


def found(identities, size, seed, shuffle):
    try:
        return reid_subset(identities, size, seed, shuffle)
    except DataError:
        return []


@settings(max_examples=40, deadline=None, derandomize=True)
@given(identities=IDENTITIES, seed=st.integers(0, 1000), shuffle=st.booleans(), data=st.data())
def test_it_is_the_literal_draw(identities, seed, shuffle, data):
    size = data.draw(st.integers(1, len(identities)))
    np.random.seed(seed)
    order = list(np.random.choice(len(identities), size, replace=False)) if shuffle else list(range(size))
    subset = found(identities, size, seed, shuffle)
    assert subset == literal(identities, size, order)
    assert all(type(index) is int for index in subset)


def test_a_draw_that_does_not_fit_is_taken_back_with_the_image_that_was_drawn():
    gallery, query = Identity(7, 1, query=False), Identity(7, 0, query=True)
    # 0 brings 1 and 2 along. 1 would bring 3 and 4, one too many, and goes with them; 2 may bring them instead.
    assert reid_subset([query, gallery, gallery, query, query], 4, 666, shuffle=False) == [0, 2, 3, 4]


def test_distractors_are_not_drawn():
    identities = [Identity(0, 0, False), Identity(1, 0, True), Identity(1, 1, False), Identity(2, 0, True)]
    assert reid_subset(identities, 4, 666, shuffle=False) == [1, 2]


@pytest.mark.parametrize("shuffle", [True, False])
def test_nothing_fits(shuffle):
    identities = [Identity(1, 0, True), Identity(1, 1, False)]
    with pytest.raises(DataError) as caught:
        reid_subset(identities, 1, 666, shuffle)
    assert str(caught.value) == (
        "subsample_size: 1 found, too small for any query with the gallery images of its person; raise it"
    )

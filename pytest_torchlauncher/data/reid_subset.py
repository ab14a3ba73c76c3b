"""The part of a re-identification dataset that is evaluated: queries stay with the gallery images of their persons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from ..types import Identity

__all__ = ["reid_subset"]


def reid_subset(identities: Sequence[Identity], size: int, seed: int, shuffle: bool) -> list[int]:
    """Return the indices of at most `size` of `identities` in the order in which the Accuracy Checker draws them.

    Images are drawn one by one; each brings all queries, or gallery images, of its person along. Where they are more
    than fit in, the draw is taken back and the next one tried.

    Args:
        identities: of all samples, at least `size` of them.
        size: how many samples to choose.
        seed: of the random draws.
        shuffle: whether to draw at random, else the first `size` are tried in their order.

    Raises:
        DataError: no image fits in together with its counterparts.
    """
    counterparts = _by_person(identities)
    chosen: dict[int, None] = {}
    for index in _candidates(len(identities), size, seed, shuffle):
        pairs = counterparts.get((identities[index].person, not identities[index].query))
        if not pairs:
            continue
        chosen[index] = None
        known = chosen.keys() & pairs
        chosen.update(dict.fromkeys(pairs))
        if len(chosen) == size:
            break
        if len(chosen) > size:
            for added in {index, *pairs} - known:
                del chosen[added]
    if not chosen:
        raise DataError(
            f"subsample_size: {size} found, too small for any query with the gallery images of its person; raise it"
        )
    return list(chosen)


def _by_person(identities: Sequence[Identity]) -> dict[tuple[int, bool], list[int]]:
    """Return the indices of the images of each person, its queries apart from its gallery images."""
    indices: defaultdict[tuple[int, bool], list[int]] = defaultdict(list)
    for index, identity in enumerate(identities):
        indices[identity.person, identity.query].append(index)
    return dict(indices)


def _candidates(total: int, size: int, seed: int, shuffle: bool) -> Sequence[int]:
    if not shuffle:
        return range(size)
    # The Accuracy Checker's own generator: another would draw other samples.
    return [int(index) for index in np.random.RandomState(seed).choice(total, size, replace=False)]

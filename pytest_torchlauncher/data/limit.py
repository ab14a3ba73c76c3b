"""The part of a dataset that ``--launcher-limit`` asks for: stratified, and the same in whatever order samples come."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from ..plan import Amount
from ..types import Annotation, Identity, InFile, Label

__all__ = ["limited"]


def limited(samples: Sequence[tuple[str, Annotation | InFile | None]], amount: Amount) -> list[int]:
    """Return the positions of the part of `samples`, in their order.

    Classes keep their shares, as far as annotations say which class a sample is of; in each those are taken whose
    identifiers have the smallest hashes. So a part depends on the set of samples only, not on their order. Of a
    re-identification dataset whole persons are taken.

    Args:
        samples: identifiers and annotations, None where that is not known yet.
        amount: how many; all where there are not more.
    """
    if samples and isinstance(samples[-1][1], Identity):
        return _persons(samples, amount.of(len(samples)))
    strata: defaultdict[int, list[int]] = defaultdict(list)
    for position, (_, annotation) in enumerate(samples):
        strata[annotation.index if isinstance(annotation, Label) else -1].append(position)
    sizes = {stratum: len(positions) for stratum, positions in strata.items()}
    shares = _shares(sizes, min(amount.of(len(samples)), len(samples)))
    chosen = []
    for stratum, positions in strata.items():
        chosen += sorted(positions, key=lambda position: _rank(samples[position][0]))[: shares[stratum]]
    return sorted(chosen)


def _persons(samples: Sequence[tuple[str, Annotation | InFile | None]], size: int) -> list[int]:
    """Return all images of so many persons that there are at least `size`: a query needs its gallery."""
    images: defaultdict[int, list[int]] = defaultdict(list)
    for position, (_, annotation) in enumerate(samples):
        if isinstance(annotation, Identity):
            images[annotation.person].append(position)
    chosen: list[int] = []
    for person in sorted(images, key=lambda person: _rank(str(person))):
        if len(chosen) < size:
            chosen += images[person]
    return sorted(chosen)


def _shares(sizes: dict[int, int], size: int) -> dict[int, int]:
    """Return how many of each stratum are taken: its share rounded down, the rest by largest remainder."""
    total = sum(sizes.values())
    exact = {stratum: Fraction(count * size, total) for stratum, count in sizes.items()}
    shares = {stratum: int(share) for stratum, share in exact.items()}
    by_remainder = sorted(exact, key=lambda stratum: (shares[stratum] - exact[stratum], stratum))
    for stratum in by_remainder[: size - sum(shares.values())]:
        shares[stratum] += 1
    return shares


def _rank(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode(errors="surrogateescape")).digest()

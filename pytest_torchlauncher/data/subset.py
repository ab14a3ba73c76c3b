"""The part of a dataset that is evaluated, drawn as the Accuracy Checker draws it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np

from ..errors import LauncherFileWarning
from ..plan import DatasetSpec
from ..types import Annotation, Identity, InFile

__all__ = ["drawn"]


def drawn(annotations: Sequence[Annotation | InFile | None], spec: DatasetSpec) -> Sequence[int]:
    """Return the positions of the samples that `spec` asks for, in the order in which they are evaluated.

    Of a re-identification dataset a query comes with all gallery images of its person, and the other way round.

    Args:
        annotations: of all samples in their order, None where they are not known yet.
        spec: says how many, and whether and how they are drawn at random.
    """
    total = len(annotations)
    if spec.subsample_size is None:
        return range(total)
    size = spec.subsample_size.of(total)
    if size > total:
        where = spec.where["subsample_size"]
        message = f"subsample_size: {size} found, the dataset has {total} samples; all of them are evaluated"
        warnings.warn_explicit(message, LauncherFileWarning, str(where.file), where.line)
        return range(total)
    if annotations and isinstance(annotations[-1], Identity):
        from .reid_subset import reid_subset

        return reid_subset(cast(Sequence[Identity], annotations), size, spec.subsample_seed, spec.shuffle)
    if not spec.shuffle:
        return range(size)
    # The Accuracy Checker's own generator: another would draw other samples.
    return [int(index) for index in np.random.RandomState(spec.subsample_seed).choice(total, size, replace=False)]

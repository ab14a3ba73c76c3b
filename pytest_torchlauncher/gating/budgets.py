"""Checks beside the value: the budget of lost samples, and slices of the dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..gate import FlipBudget, Slices
from .flips import CONFIDENT, Flip
from .pairs import Paired
from .slices import SliceResult
from .verdict import Check
from .wording import compared

__all__ = ["against_budget", "against_slices"]


def against_budget(name: str, flips: Sequence[Flip], pair: Paired, budget: FlipBudget) -> Iterator[Check]:
    """Yield a check for each budget that the lost samples `flips` of `pair` are held to, or why they cannot be."""
    if problem := _uncountable(flips, pair, budget):
        yield Check("flips", "error", f"{name}: {problem}", True)
        return
    rate = len(flips) / pair.n if pair.n else 0.0
    if budget.max_negative_rate is not None:
        told = f"{len(flips)} of {pair.n} samples lost ({rate:.2%}, at most {budget.max_negative_rate:.2%} allowed)"
        yield _held(name, told, broken=rate > budget.max_negative_rate + 1e-9, loss=rate)
    if budget.max_confident is not None:
        sure = sum(flip.is_confident for flip in flips)
        samples = "1 sample" if sure == 1 else f"{sure} samples"
        told = f"{samples} lost with a confidence of {CONFIDENT} or more (at most {budget.max_confident} allowed)"
        yield _held(name, told, broken=sure > budget.max_confident, loss=rate)


def _uncountable(flips: Sequence[Flip], pair: Paired, budget: FlipBudget) -> str | None:
    if not pair.has_flips:
        return (
            "flips count samples that are right or wrong, and this metric or its baseline scores none so; "
            "give flips beside the metrics that do"
        )
    if budget.max_confident is not None and any(flip.confidence_after is None for flip in flips):
        return "max_confident needs probabilities of the predictions, and there are none; give max_negative_rate alone"
    return None


def _held(name: str, told: str, *, broken: bool, loss: float) -> Check:
    verdict = "regressed" if broken else "pass"
    return Check("flips", verdict, f"{name}: {told}: {verdict}, budget of flips", broken, loss=loss)


def against_slices(
    name: str, results: Sequence[SliceResult], slices: Slices, groups: Sequence[tuple[str, ...]], pair: Paired
) -> Iterator[Check]:
    """Yield the check of all slices: the worst one's reason, or why there is none to judge."""
    worst = min(results, key=lambda result: (result.verdict != "regressed", result.p_value), default=None)
    if worst is None:
        yield _nothing(name, slices, groups, pair)
    elif worst.verdict == "regressed":
        count = sum(result.verdict == "regressed" for result in results)
        more = f" (and {count - 1} more slice{'s' if count > 2 else ''})" if count > 1 else ""
        line = (
            f"{compared(name, worst.value, worst.baseline)} in the slice {worst.name} of {worst.n} samples (allowed "
            f"{slices.margin:g}, p {worst.p_value:.2g} after Holm): regressed{more}"
        )
        yield Check("slices", "regressed", line, True, worst.baseline, slices.margin, loss=abs(worst.delta))
    else:
        yield Check("slices", "pass", f"{name}: {len(results)} slices pass", False)


def _nothing(name: str, slices: Slices, groups: Sequence[tuple[str, ...]], pair: Paired) -> Check:
    if not any(groups):
        found = "no sample has a class" if slices.by == "class" else f"no sample has the metadata {slices.by!r}"
        line = f"{name}: slices by {slices.by}: {found}; give it, or remove the slices"
        return Check("slices", "error", line, True)
    if not pair.can_resample:
        line = f"{name}: slices need outcomes of each sample, and the baseline has none; run pytest --launcher-update"
        return Check("slices", "error", line, True)
    return Check("slices", "pass", f"{name}: no slice has {slices.min_samples} samples", False)

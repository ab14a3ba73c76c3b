"""What judging an evaluation comes to: checks, comparisons and the verdict, which reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .flips import Flip
from .slices import SliceResult

__all__ = ["FAILED", "SEVERITY", "Check", "Comparison", "Verdict"]

SEVERITY = ("error", "stale_baseline", "regressed", "missing_baseline", "inconclusive", "improved", "pass")
FAILED = SEVERITY[:4]


@dataclass(frozen=True)
class Check:
    """One way in which a metric was judged.

    Args:
        against: ``baseline``, ``anchor``, ``reference`` (of a component: ``reference mean``), ``flips``, ``slices``, or
            ``evaluation`` where the measurement itself is at fault.
        verdict: one of `SEVERITY`.
        line: the reason, which can stand as the first line of a failure.
        failed: whether it fails the evaluation.
        baseline: the value that the metric was compared with.
        allowed: how much worse it may be; None where it is not judged.
        lower, upper: one-sided bounds of the oriented difference, of a paired test.
        p_value: that so many samples are lost by chance, exact, of a paired test on outcomes of 0 and 1.
        detectable: the smallest drop that these samples can prove with a power of 0.8.
        loss: how much worse the metric is relative to its scale, for the worst to be named first.
        warns: whether a warning says it.
    """

    against: str
    verdict: str
    line: str
    failed: bool
    baseline: float | None = None
    allowed: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    loss: float = 0.0
    warns: bool = False

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Sorts the worst first."""
        # What was recorded or updated stands behind everything that was judged.
        severity = SEVERITY.index(self.verdict) if self.verdict in SEVERITY else len(SEVERITY)
        return not self.failed, severity, -self.loss


@dataclass(frozen=True)
class Comparison:
    """One metric with all its checks, the first of which is that against its baseline.

    Args:
        value: what was measured; None for a metric of the baseline that is no longer measured.
        shows_components: whether tables list the components.
    """

    name: str
    type: str
    value: float | None
    components: Mapping[str, float]
    higher_is_better: bool
    checks: tuple[Check, ...]
    shows_components: bool = False

    @property
    def worst(self) -> Check:
        """The check that decides."""
        return min(self.checks, key=lambda check: check.rank)

    @property
    def verdict(self) -> str:
        """That of the worst check."""
        return self.worst.verdict

    @property
    def baseline(self) -> float | None:
        """What the first check compared with."""
        return self.checks[0].baseline

    @property
    def allowed(self) -> float | None:
        """What the first check allowed."""
        return self.checks[0].allowed

    @property
    def delta(self) -> float | None:
        """Value - baseline, whatever the direction."""
        return None if self.value is None or self.baseline is None else self.value - self.baseline

    @property
    def gain(self) -> float | None:
        """The delta oriented so that positive is better."""
        return self.delta if self.delta is None or self.higher_is_better else -self.delta


@dataclass(frozen=True)
class Verdict:
    """What the comparisons come to.

    Args:
        message: the first line.
        changed: all differences since the baseline.
        provenance: in one line what changed, which decides how much is allowed; empty without a baseline.
        flips: samples that were right and are wrong now, most confident first.
        slices: parts of the dataset that were judged by themselves.
    """

    status: str
    message: str
    comparisons: tuple[Comparison, ...]
    changed: tuple[str, ...]
    failed: bool
    provenance: str = ""
    flips: tuple[Flip, ...] = ()
    slices: tuple[SliceResult, ...] = ()

    @property
    def is_unusable(self) -> bool:
        """Whether the measurement itself is at fault, so that it is stored nowhere."""
        checks = [check for comparison in self.comparisons for check in comparison.checks]
        return not checks or any(check.against == "evaluation" for check in checks)

"""How much a metric may change: the keys of ``gate`` and the Accuracy Checker's references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .options import PositiveInt, Spec, Where
from .refusal import found, refused

__all__ = ["FlipBudget", "Gate", "Reference", "Slices", "drop"]

Rate = Annotated[float, Field(ge=0, le=1)]


def drop(key: str, margin: float | str, baseline: float) -> float:
    """Return `margin`, an absolute number or text such as ``0.5%``, as a drop from the `baseline` value.

    Raises:
        ValueError: it is negative, or text that is no percentage.
    """
    text = str(margin).strip()
    relative = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise ValueError(f"{key}: {margin!r} found, a number of at least 0 or a percentage expected")
    return abs(baseline) * number / 100 if relative else number


@dataclass(frozen=True)
class FlipBudget(Spec):
    """How many samples may be right in the baseline and wrong now, whatever is gained elsewhere.

    Args:
        max_negative_rate: as a fraction of all samples.
        max_confident: those that are wrong with a probability of at least 0.9.
    """

    max_negative_rate: Rate | None = None
    max_confident: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        """Check that there is a budget.

        Raises:
            ValueError: there is none.
        """
        if self.max_negative_rate is None and self.max_confident is None:
            raise ValueError("no budget found, max_negative_rate or max_confident expected")


@dataclass(frozen=True)
class Slices(Spec):
    """Parts of the dataset that are judged by themselves, with Holm's correction for their number.

    Args:
        by: ``class``, or a key of the samples' metadata.
        min_samples: smaller slices are left out.
        margin: allowed drop of each slice, in units of the metric.
    """

    by: str
    min_samples: PositiveInt = 50
    margin: Annotated[float, Field(ge=0)] = 0.03


@dataclass(frozen=True)
class Gate(Spec):
    """How much a metric may change; keys left out are taken from the level above.

    Args:
        margin: allowed drop against the baseline, absolute (0.005) or relative to it ("0.5%"). Without it what
            changed since the baseline decides.
        anchor: allowed drop against the anchor, the baseline that only ``--launcher-anchor`` moves.
        test: ``point`` compares values, ``paired`` judges by the interval of the paired difference.
        alpha: one-sided error rate of the paired test and of slices; 0.05 by default.
        on_improve: what an improvement does: pass (named in the summary), warn or fail.
        on_inconclusive: what a paired test does that proves neither: ``auto`` warns and passes.
        flips: budget of samples that were right and are wrong now.
        slices: parts of the dataset that are judged by themselves.
        early_fail: whether the run stops as soon as no remaining outcome could pass.
    """

    margin: float | str | None = None
    on_improve: Literal["pass", "warn", "fail"] | None = None
    anchor: float | str | None = None
    test: Literal["point", "paired"] | None = None
    alpha: Annotated[float, Field(gt=0, lt=0.5)] | None = None
    on_inconclusive: Literal["auto", "pass", "warn", "fail"] | None = None
    flips: FlipBudget | None = None
    slices: Slices | None = None
    early_fail: bool | None = None
    where: Where = field(default_factory=Where, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check the margins and alpha, which ini values give as text.

        Raises:
            ValueError: a margin is negative, or text that is no percentage; alpha is not between 0 and 0.5.
        """
        for name in ("margin", "anchor"):
            if getattr(self, name) is not None:
                drop(name, getattr(self, name), 1.0)
        if self.alpha is not None and not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha: {self.alpha} found, a number between 0 and 0.5 expected")

    @property
    def is_paired(self) -> bool:
        """Whether the interval of the paired difference decides."""
        return self.test == "paired"

    @property
    def error_rate(self) -> float:
        """Alpha, or its default."""
        return 0.05 if self.alpha is None else self.alpha

    def allowed(self, baseline: float) -> float | None:
        """Return the margin in units of the metric, given the `baseline` value; None without a margin."""
        return None if self.margin is None else drop("margin", self.margin, baseline)

    def allowed_since_anchor(self, anchor: float) -> float | None:
        """Return the allowed drop from the `anchor` value; None where the anchor is not judged."""
        return None if self.anchor is None else drop("anchor", self.anchor, anchor)

    def over(self, base: Gate) -> Gate:
        """Return this gate with what it leaves open taken from `base`."""
        own = {key.name: getattr(self, key.name) for key in fields(self)}
        return Gate(**{name: getattr(base, name) if value is None else value for name, value in own.items()})


def _published(raw: Any) -> Any:
    """Return a reference as a number or a mapping of numbers: one sentence says what is neither."""
    if isinstance(raw, Mapping):
        return {str(name): _number(value) for name, value in raw.items()}
    return _number(raw)


def _number(raw: Any) -> float:
    try:
        number = math.nan if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise refused(f"{found(raw)} found, a number, or numbers by component, expected")
    return number


@dataclass(frozen=True)
class Reference(Spec):
    """A published value that a metric is judged by, as the Accuracy Checker's files give it, one-sided.

    Args:
        reference: the value, or values by component; ``mean`` is the metric's value itself.
        abs_threshold: allowed drop, in units of the metric.
        rel_threshold: allowed drop as a fraction of the reference. Of both the stricter counts.
        threshold: an older name of `abs_threshold`.
        presenter: ``print_vector`` lists the components of the metric in the table.
    """

    reference: Annotated[float | Mapping[str, float], BeforeValidator(_published)] | None = None
    abs_threshold: Annotated[float, Field(ge=0)] | None = None
    rel_threshold: Annotated[float, Field(ge=0)] | None = None
    threshold: Annotated[float, Field(ge=0)] | None = None
    presenter: Literal["print_scalar", "print_vector"] | None = None

    def __post_init__(self) -> None:
        """Check that there is one value to compare with.

        Raises:
            ValueError: the mapping of references is empty, or a threshold has two names.
        """
        if self.threshold is not None and self.abs_threshold is not None:
            raise ValueError("threshold and abs_threshold found, which are one; give abs_threshold")
        if self.reference == {}:
            raise ValueError("reference: an empty mapping found, a number or numbers by component expected")

    @property
    def values(self) -> Mapping[str, float]:
        """The published values by component; ``mean`` is the metric's value itself."""
        if isinstance(self.reference, Mapping):
            return self.reference
        return {} if self.reference is None else {"mean": self.reference}

    def allowed(self, value: float) -> float | None:
        """Return the allowed drop from the published `value`; None where there are no thresholds."""
        relative = None if self.rel_threshold is None else self.rel_threshold * abs(value)
        given = [drop for drop in (self.abs_threshold, self.threshold, relative) if drop is not None]
        return min(given, default=None)

    @property
    def shows_components(self) -> bool:
        """Whether the table lists the metric's components."""
        return self.presenter == "print_vector"

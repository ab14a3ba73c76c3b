"""Steps that change the annotation, the prediction or both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from ..errors import OutputError
from ..kinds import Postprocessor
from ..types import Named, Pair

__all__ = ["Targeted"]


def _names(value: Any) -> Any:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


@dataclass(frozen=True, kw_only=True)
class Targeted(Postprocessor):
    """Base of the steps that change annotations of the classes `annotations`, predictions of the classes `predictions`.

    Args:
        apply_to: what is changed; where it may be left out, both are, as far as they are of these classes.
        annotation_source: names of the annotations that are changed, where a sample has several.
        prediction_source: names of the predictions that are changed, where a sample has several.
    """

    apply_to: Literal["annotation", "prediction", "all"] | None = None
    annotation_source: Names = ()
    prediction_source: Names = ()
    annotations: ClassVar[tuple[type, ...]] = ()
    predictions: ClassVar[tuple[type, ...]] = ()
    needs_target: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check that what is changed is said once.

        Raises:
            ValueError: it is said twice, or not at all where it must be.
        """
        sources = bool(self.annotation_source or self.prediction_source)
        if self.apply_to and sources:
            raise ValueError("apply_to found beside annotation_source or prediction_source, only one of them expected")
        impossible = {"annotation": not self.annotations, "prediction": not self.predictions}
        if self.apply_to and impossible.get(self.apply_to):
            raise ValueError(f"apply_to: {self.apply_to!r} found, of which this step changes nothing; name the other")
        if self.needs_target and not (self.apply_to or sources):
            raise ValueError("apply_to is missing; annotation, prediction or all expected")

    def apply(self, pair: Pair) -> Pair:
        """Return `pair` with what is aimed at changed.

        Raises:
            OutputError: it is nothing that this step can change.
        """
        for side, classes, sources in self._targets():
            pair = replace(pair, **{side: self._changed(getattr(pair, side), classes, sources, pair, side)})
        return pair

    @abstractmethod
    def change(self, value: Any, pair: Pair) -> Any:
        """Return the annotation or prediction `value`, which is of the classes of its side, after this step.

        Raises:
            OutputError: it does not suit this step.
        """

    def _targets(self) -> Iterator[tuple[str, tuple[type, ...], tuple[str, ...]]]:
        """Yield what is changed: the side, its classes and the names on it."""
        # Only where a target has to be said does a name on one side leave out the other.
        sources = self.needs_target and bool(self.annotation_source or self.prediction_source)
        for side, classes, names in (
            ("annotation", self.annotations, self.annotation_source),
            ("prediction", self.predictions, self.prediction_source),
        ):
            named = self.apply_to in (side, "all")
            if classes and (bool(names) if sources else named or self.apply_to is None):
                yield side, classes, names

    def _changed(self, value: Any, classes: tuple[type, ...], sources: tuple[str, ...], pair: Pair, side: str) -> Any:
        if isinstance(value, Named):
            for name in sources or (value.pick(classes),):
                part = value.parts[value.pick(classes, name)]
                value = value.with_part(name, self._changed(part, classes, (), pair, side))
            return value
        if not isinstance(value, classes):
            wanted = " or ".join(kind.__name__ for kind in classes)
            raise OutputError(f"{side} of type {type(value).__name__} found, {wanted} expected")
        return self.change(value, pair)

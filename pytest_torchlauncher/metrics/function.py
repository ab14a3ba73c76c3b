"""A project's own function as metric."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from ..errors import DataError, OutputError, display_path
from ..kinds import Metric
from ..options import OneOrMany
from ..paths import FilePath
from ..registry import register
from ..types import Array, DatasetMeta, MetricValue
from ._dotted import check_dotted, resolve

__all__ = ["Function"]

_EXPECTED = "a number, a mapping of names to numbers, or one number a sample expected"


@register("function")
@dataclass(frozen=True, kw_only=True)
class Function(Metric[Any, Any]):
    """What ``function(annotations, predictions)`` returns for the lists of all annotations and predictions.

    It is called once. It returns a number; or a mapping of names to numbers, which become the components, and their
    mean the value; or one number a sample, whose mean is the value. All annotations and predictions are kept until
    then.

    Args:
        function: its dotted path, ``module.name``.
        higher_is_better: the direction of the value.
        python_path: folders that are importable while the function is imported.
    """

    function: str
    higher_is_better: bool = True
    python_path: Annotated[tuple[FilePath, ...], OneOrMany] = ()

    def __post_init__(self) -> None:
        """Check that `function` is a dotted path; it is imported when the first sample comes.

        Raises:
            ValueError: it is none.
        """
        check_dotted(self.function, "function")

    def observe(self, annotations: Sequence[Any], predictions: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Return annotation and prediction of each sample.

        Raises:
            OutputError: there is no such function.
        """
        # An import that fails is told before the whole dataset has gone through the model.
        _ = self._call
        return list(zip(annotations, predictions, strict=True))

    def summarize(self, evidence: Sequence[tuple[Any, Any]], meta: DatasetMeta) -> MetricValue:
        """Return what the function makes of all samples.

        Raises:
            DataError: there is no sample, or the function returned something else.
        """
        if not len(evidence):
            raise DataError(f"no sample found, at least one expected for {self.function}")
        annotations, predictions = map(list, zip(*evidence, strict=True))
        result = self._call(annotations, predictions)
        if isinstance(result, Mapping):
            components = {str(name): float(self._numbers(number, 0)) for name, number in result.items()}
            if not components:
                raise DataError(f"{self.function} returned an empty mapping, {_EXPECTED}")
            return self._measured(np.array(list(components.values())), components)
        numbers = self._numbers(result, 1)
        if numbers.ndim and len(numbers) != len(evidence):
            raise DataError(f"{self.function} returned {len(numbers)} numbers for {len(evidence)} samples, {_EXPECTED}")
        return self._measured(numbers, per_sample=numbers if numbers.ndim else None)

    def _measured(
        self, numbers: Array, components: Mapping[str, float] | None = None, per_sample: Array | None = None
    ) -> MetricValue:
        mean = float(numbers.mean())
        return MetricValue(mean, components or {}, per_sample, self.higher_is_better, bounded=False)

    def _numbers(self, result: Any, most_axes: int) -> Array:
        """Return `result` as an array with at most that many axes."""
        try:
            numbers = np.asarray(result)
        except (ValueError, RuntimeError, TypeError):  # rows of different lengths, tensors with a gradient, on a GPU
            numbers = np.asarray(None)
        if numbers.dtype.kind not in "iufb" or numbers.ndim > most_axes:
            kind = f"an array {numbers.shape}" if numbers.ndim > most_axes else f"a {type(result).__name__}"
            raise DataError(f"{self.function} returned {kind}, {_EXPECTED}")
        return numbers.astype(np.float64)

    @functools.cached_property
    def _call(self) -> Callable[..., Any]:
        with _importable(self.python_path):
            found = resolve(self.function, "function", "install it, or set python_path to the folder that holds it")
        _check_place(self.function.partition(".")[0], self.python_path)
        if not callable(found):
            raise OutputError(f"function: {self.function} is of type {type(found).__name__}, a function expected")
        call: Callable[..., Any] = found
        return call


@contextmanager
def _importable(folders: Sequence[Path]) -> Iterator[None]:
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing is not None:
        raise OutputError(f"python_path: {display_path(missing)} is not a folder; a folder of Python modules expected")
    before = list(sys.path)
    sys.path[:0] = map(str, folders)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _check_place(module: str, folders: Sequence[Path]) -> None:
    """Check that `module` is not another one of that name, imported before from elsewhere."""
    file = getattr(sys.modules[module], "__file__", None)
    holding = [folder for folder in folders if (folder / module).is_dir() or (folder / f"{module}.py").exists()]
    if holding and file and not any(Path(file).resolve().is_relative_to(folder.resolve()) for folder in holding):
        raise OutputError(
            f"function: a module {module!r} was imported before from {display_path(Path(file))}, that in "
            f"{display_path(holding[0])} expected; rename one of them"
        )

"""The ``torch_launcher`` fixture: launcher files in plain test functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from .baselines.store import baseline_file
from .collection import EvaluationFailed, given_by, runner_key
from .config.loader import Entry, load_document, load_file
from .config.problems import Problems
from .errors import LauncherError, MissingDataError, MissingDeviceError, Position, did_you_mean
from .evaluation.evaluate import evaluate
from .evaluation.procedure import Procedure
from .launcher.launcher import launch
from .located import located
from .plan import Evaluation
from .progress import ProgressLine, progress_line
from .record import RECORDS
from .target import Target
from .types import Measurement

T = TypeVar("T")

__all__ = ["BoundLauncher", "TorchLauncher", "bound_launchers"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


class BoundLauncher:
    """One evaluation, bound to the running test."""

    def __init__(
        self, evaluation: Evaluation, target: Target, request: pytest.FixtureRequest, stack: ExitStack
    ) -> None:
        self._evaluation = evaluation
        self._target = target
        self._request = request
        self._stack = stack
        self._launcher: Any = None

    def predict(self, inputs: Any) -> dict[str, Any]:
        """Run the model on `inputs` as they stand: a tensor, a tuple of positional or a mapping of named inputs.

        A detection model takes a list with a tensor a sample.

        The model is built with the first call and stays until the test ends.

        Returns:
            The named raw outputs on the launcher's device, each a tensor (B, …), or a tuple with a tensor a sample
            where the module returns a list.

        Raises:
            LauncherError: the module cannot be built or run.
        """
        if self._launcher is None:
            self._launcher = self._guarded(lambda: self._stack.enter_context(launch(self._evaluation.launcher)))
        return self._guarded(lambda: self._launcher.forward(inputs))

    def evaluate(self) -> Measurement:
        """Run the model over the dataset; ``.metrics["top1"].value`` of the result is a measured value.

        Raises:
            LauncherError: what is wrong with dataset, module or outputs. Data that is not there skips the test.
        """
        given = self._given() if self._evaluation.dataset.fixture else None
        limit = self._request.config.stash[runner_key].limit
        with self._progress() as progress:
            procedure = Procedure(limit=limit, progress=progress)
            return self._guarded(lambda: evaluate(self._evaluation, given, procedure))

    def check(self) -> None:
        """Run the model over the dataset and assert that the verdict against the baseline is no failure.

        Under ``--launcher-record`` and ``--launcher-update`` the baseline is written as for a collected item.

        Raises:
            EvaluationFailed: an AssertionError whose first line is the reason.
        """
        runner = self._request.config.stash[runner_key]
        with self._progress() as progress:
            record = self._guarded(lambda: runner.run(self._target, self._given, progress=progress))
        self._request.node.stash.setdefault(RECORDS, []).append(record)
        if record.failed:
            raise EvaluationFailed(record)

    def _progress(self) -> AbstractContextManager[ProgressLine | None]:
        return progress_line(self._request.config, self._request.node.name)

    def _given(self) -> Any:
        spec = self._evaluation.dataset
        return given_by(self._request, str(spec.fixture), spec.where["fixture"])

    def _guarded(self, action: Callable[[], T]) -> T:
        """Return what `action` gives; what this machine lacks skips the test."""
        runner = self._request.config.stash[runner_key]
        try:
            return action()
        except (MissingDataError, MissingDeviceError) as missing:
            required = runner.require_data if isinstance(missing, MissingDataError) else runner.require_device
            if required:
                raise missing.with_traceback(None) from None
            pytest.skip(str(missing))
        except LauncherError as error:
            raise error.with_traceback(None) from error.__cause__


class TorchLauncher:
    """What the fixture ``torch_launcher`` gives: call it with a launcher file or its content as a mapping."""

    def __init__(self, request: pytest.FixtureRequest, stack: ExitStack) -> None:
        self._request = request
        self._stack = stack

    def __call__(
        self,
        source: str | Path | Mapping[str, Any],
        *,
        name: str | None = None,
        baseline: str | None = None,
        **overrides: Any,
    ) -> BoundLauncher:
        """Return one evaluation of `source`.

        Args:
            source: path of a launcher file, relative to the test's file, or its content.
            name: the model's name or the evaluation's id, needed where the file has several.
            baseline: name of a baseline of its own: of a mapping, an entry of ``__baselines__/<test file stem>.json``;
                of a file whose launcher is overridden, one beside the file's own.
            overrides: keys of the launcher that replace those of the file and of the options: ``batch=1``,
                ``device="cuda"``.

        Raises:
            ConfigError: with every problem of the file or mapping.
            LauncherError: no evaluation, or several, have that name.
        """
        test_file = self._request.path
        caller = inspect.stack(0)[1]
        settings = self._request.config.stash[runner_key].settings
        settings = replace(settings, overrides={**settings.overrides, **overrides})
        place = Position(test_file, caller.lineno, 1)
        _check("source", source, (str, Path, Mapping), "the path of a launcher file or its content as a mapping", place)
        _check("name", name, (str, type(None)), "the name of a model or evaluation", place)
        _check("baseline", baseline, (str, type(None)), "a name", place)
        try:
            if isinstance(source, Mapping):
                content = load_document(located(source, place), test_file, settings, Problems())
            else:
                content = load_file((test_file.parent / source).resolve(), settings)
        except LauncherError as error:
            raise error.with_traceback(None) from None
        evaluation = _choose(content.entries, name, place)
        baselines, model = self._baseline(source, baseline, evaluation)
        index = self._request.session.items.index(self._request.node)
        target = Target(self._request.node.nodeid, index, evaluation, baselines, model)
        return BoundLauncher(evaluation, target, self._request, self._stack)

    def _baseline(self, source: Any, baseline: str | None, evaluation: Evaluation) -> tuple[Path | None, str]:
        test_file = self._request.path
        if not isinstance(source, Mapping):
            return baseline_file((test_file.parent / source).resolve()), baseline or evaluation.model
        return (baseline_file(test_file), baseline) if baseline else (None, evaluation.model)


def bound_launchers(request: pytest.FixtureRequest) -> Iterator[TorchLauncher]:
    """Yield the fixture's value; the models that the test built go with its end."""
    with ExitStack() as stack:
        yield TorchLauncher(request, stack)


def _check(argument: str, value: Any, kinds: Any, expected: str, place: Position) -> None:
    if not isinstance(value, kinds):
        raise LauncherError(f"torch_launcher: {argument} {value!r} found, {expected} expected", place)


def _choose(entries: Iterable[Entry], name: str | None, place: Position) -> Evaluation:
    named = {entry.id: entry.evaluation for entry in entries if entry.evaluation}
    chosen = [e for id_, e in named.items() if name in (None, id_, e.model, f"{e.model}-{e.dataset.name}")]
    if len(chosen) == 1:
        return chosen[0]
    if name is None:
        raise LauncherError(f"name: there are {len(named)} evaluations; choose one of {', '.join(named)}", place)
    hint = did_you_mean(name, named) if not chosen else ""
    found = "no evaluation is" if not chosen else f"{len(chosen)} evaluations are"
    raise LauncherError(f"name: {found} called {name!r}{hint or '; there are ' + ', '.join(named)}", place)

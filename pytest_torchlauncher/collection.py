"""Launcher files as pytest collects them: one item an evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import given_options
from .baselines.store import baseline_file
from .config.loader import Entry, load_file
from .config.marks import MarkSpec
from .data.shelf import Shelf
from .errors import ConfigError, DataError, MissingDataError, MissingDeviceError, Position, Problem
from .evaluation.shared import Shared
from .launcher.importing_much import settled
from .noted import beginning
from .progress import progress_line
from .record import RECORDS, Record
from .results.results import Results
from .runner import Runner
from .target import Target
from .workers import lent_folder

__all__ = ["EvaluationFailed", "LauncherFile", "LauncherItem", "given_by", "runner_key"]

runner_key = pytest.StashKey[Runner]()
"""On the config: the runner that the options describe."""

_shared = pytest.StashKey[Shared]()
"""On the config: what the evaluations of this run have in common."""

_SETTINGS = (
    "launcher_limit",
    "launcher_selfcheck",
    "launcher_require_data",
    "launcher_require_device",
    "filterwarnings",
)
"""What the ini file says and an evaluation does not hold."""

_results = pytest.StashKey[Results]()
"""On the config: results of earlier runs."""


class EvaluationFailed(AssertionError):
    """An evaluation's verdict is a failure; the text is what the record says."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.text)


class LauncherFile(pytest.Module):
    """A ``*.launcher.yml`` file. It is a module node, without a module, so that fixtures of every scope work."""

    obj = None

    def collect(self) -> Iterator[LauncherItem]:
        """Yield an item for each evaluation, or one failing item where the file has problems."""
        try:
            content = load_file(self.path, self.config.stash[runner_key].settings)
            marks = [_mark(spec, self.config) for spec in content.marks]
        except ConfigError as error:
            problem = error.problems[0]
            entry = Entry("configuration", problem.where)
            yield LauncherItem.of(self, entry, [], [], _failing(error))
            return
        for entry in content.entries:
            action = _skipping(entry.skip) if entry.evaluation is None else _evaluating
            yield LauncherItem.of(self, entry, marks, list(content.marks), action)


class LauncherItem(pytest.Function):
    """One evaluation of a launcher file."""

    entry: Entry
    mark_specs: list[MarkSpec]

    @classmethod
    def of(
        cls,
        parent: LauncherFile,
        entry: Entry,
        marks: list[pytest.MarkDecorator],
        specs: list[MarkSpec],
        action: Callable[[LauncherItem, pytest.FixtureRequest], None],
    ) -> LauncherItem:
        """Return the item of `entry` that does `action`."""

        # pytest takes the test's marks, its globals for string conditions and its fixtures from a plain function.
        def evaluation(request: pytest.FixtureRequest) -> None:
            action(request.node, request)

        tags = [_tag(tag, parent.config) for tag in entry.tags]
        evaluation.pytestmark = [m.mark for m in (pytest.mark.launcher, *tags, *marks)]  # type: ignore[attr-defined]
        item: LauncherItem = cls.from_parent(parent, name=entry.id, callobj=evaluation)
        item.entry, item.mark_specs = entry, specs
        return item

    def done(self) -> None:
        """Let go of what no later item needs, whether this one was run or not."""
        if self.entry.evaluation and _shared in self.config.stash:
            self.config.stash[_shared].done(self.entry.evaluation)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the place of the mark that skips this item, else of its dataset; lines count from 0."""
        skips = [spec.where for spec in self.mark_specs if spec.name in ("skip", "skipif")]
        where = skips[0] if skips else self.entry.where
        return self.path, where.line - 1, self.name

    def unrun(self, status: str, message: str) -> Record:
        """Return the record of this item where no evaluation gave one: it was skipped, or its file has problems."""
        evaluation = self.entry.evaluation
        return Record(
            id=self.nodeid,
            index=self.session.items.index(self),
            model=self.entry.model or self.entry.id,
            dataset=self.entry.dataset,
            device=evaluation.launcher.device if evaluation else "",
            file=str(self.entry.where.file),
            line=self.entry.where.line,
            status=status,
            failed=status == "error",
            message=message,
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Return the reason alone for what a user can mend, and the traceback for anything else."""
        if isinstance(excinfo.value, EvaluationFailed | ConfigError | DataError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def _failing(error: ConfigError) -> Callable[[LauncherItem, pytest.FixtureRequest], None]:
    def fail(item: LauncherItem, request: pytest.FixtureRequest) -> None:
        raise error

    return fail


def _skipping(reason: str) -> Callable[[LauncherItem, pytest.FixtureRequest], None]:
    def skip(item: LauncherItem, request: pytest.FixtureRequest) -> None:
        pytest.skip(reason)

    return skip


def _evaluating(item: LauncherItem, request: pytest.FixtureRequest) -> None:
    evaluation = item.entry.evaluation
    if evaluation is None:
        return
    index = item.session.items.index(item)
    target = Target(item.nodeid, index, evaluation, baseline_file(item.path), evaluation.model)
    spec, shared = evaluation.dataset, _shared_by(item.session)
    try:
        with progress_line(item.config, item.name) as progress:
            record = item.config.stash[runner_key].rerun(
                target,
                lambda: given_by(request, str(spec.fixture), spec.where["fixture"]),
                shared,
                None if _has_fixtures(item) else _results_of(item.config),
                progress,
            )
    except (MissingDataError, MissingDeviceError) as missing:
        pytest.skip(str(missing))
    item.stash.setdefault(RECORDS, []).append(record)
    if record.failed:
        raise EvaluationFailed(record)


def _shared_by(session: pytest.Session) -> Shared:
    """Return what the items that were chosen have in common."""
    config = session.config
    if _shared not in config.stash:
        entries = [item.entry for item in session.items if isinstance(item, LauncherItem)]
        needs = [entry.evaluation for entry in entries if entry.evaluation]
        config.stash[_shared] = Shared(needs, Shelf(lent_folder(config)), config.stash[runner_key].limit)
        config.add_cleanup(config.stash[_shared].close)
        config.add_cleanup(settled)
    return config.stash[_shared]


def _results_of(config: pytest.Config) -> Results | None:
    """Return the cache of results; None where nobody asked for it."""
    noted = beginning(config)
    if not given_options.flag(config, "launcher_cache") or not hasattr(config, "cache") or noted is None:
        return None
    if _results not in config.stash:
        folder, shared = config.cache.mkdir("torchlauncher-results"), lent_folder(config)
        written = [folder.with_name(f"torchlauncher-{name}") for name in ("candidates", "history")]
        ignored = [*written, folder.parents[1] / "v", *([shared] if shared else [])]
        ini, draws = [config.getini(name) for name in _SETTINGS], config.stash[runner_key].draws
        options = {**vars(config.option), "ini": ini, "draws": draws}
        config.stash[_results] = Results(folder, options, noted, ignored)
    return config.stash[_results]


def _has_fixtures(item: LauncherItem) -> bool:
    """Return whether fixtures of the project are in use, which may do anything."""
    return bool(set(item.fixturenames) - {"request"})


def given_by(request: pytest.FixtureRequest, name: str, where: Position) -> Any:
    """Return the value of the fixture `name`.

    Raises:
        DataError: there is none, or it is parametrised.
    """
    try:
        return request.getfixturevalue(name)
    except pytest.FixtureLookupError as error:
        raise DataError(f"fixture: no fixture is called {error.argname!r}; define it in a conftest.py", where) from None
    except pytest.fail.Exception as failure:
        if "no parameter defined" not in str(failure):
            raise
        message = (
            f"fixture: {name!r} is parametrised, and a launcher file cannot choose a parameter; give it a plain one"
        )
        raise DataError(message, where) from None
    except Exception as error:
        raise DataError(f"fixture: {name!r} raised {type(error).__name__}: {error}", where) from error


def _tag(tag: str, config: pytest.Config) -> pytest.MarkDecorator:
    # A tag selects like a mark, and a launcher file is where it is declared.
    config.addinivalue_line("markers", f"{tag}: tag of a launcher")
    return getattr(pytest.mark, tag)  # type: ignore[no-any-return]


def _mark(spec: MarkSpec, config: pytest.Config) -> pytest.MarkDecorator:
    """Return the mark of `spec`; what pytest says of an unknown one is said at its place in the file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mark: pytest.MarkDecorator = getattr(pytest.mark, spec.name)
        except pytest.fail.Exception as failure:
            raise ConfigError([Problem(spec.where, "marks", str(failure))]) from None
    for warning in caught:
        try:
            warnings.warn_explicit(warning.message, warning.category, str(spec.where.file), spec.where.line)
        except Warning as error:  # where the project makes warnings errors
            raise ConfigError([Problem(spec.where, "marks", str(error))]) from None
    return mark.with_args(*spec.args, **spec.kwargs)

"""How far a run went: what was collected, left out and passed, told by xdist's workers to the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Extent", "ExtentRecorder"]

_OUTPUT = "torchlauncher_extent"


@dataclass(frozen=True)
class Extent:
    """What was collected.

    Args:
        files: the files.
        evaluations: baseline file, model and dataset of each evaluation of a launcher file.
        tests: node ids of the tests that ask for ``torch_launcher``.
        skipped: node ids of what was skipped as a whole, so that nobody knows its tests.
        left_out: how many tests were collected and are not to run.
    """

    files: frozenset[str] = frozenset()
    evaluations: frozenset[tuple[str, str, str]] = frozenset()
    tests: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    left_out: int = 0

    @classmethod
    def merged(cls, outputs: Iterable[Mapping[str, Any]]) -> Extent:
        """Return what several processes know together, each as `to_output` gave it."""
        outputs = list(outputs)
        sets = {f.name: frozenset().union(*(o[f.name] for o in outputs)) for f in fields(cls) if f.name != "left_out"}
        return cls(**sets, left_out=max(output["left_out"] for output in outputs))

    def to_output(self) -> dict[str, Any]:
        """Return this extent as builtin types that travel."""
        return asdict(self)


class ExtentRecorder:
    """A plugin of every process; `passed` and `skipped` have the node ids of the tests that were."""

    def __init__(self) -> None:
        self.passed: set[str] = set()
        self.skipped: set[str] = set()
        self._files: set[str] = set()
        self._items: list[pytest.Item] = []
        self._collectors: set[str] = set()
        self._outputs: list[Mapping[str, Any]] = []

    def extent(self, session: pytest.Session) -> Extent:
        """Return what the workers told, or what this process collected where there are none."""
        if self._outputs:
            return Extent.merged(self._outputs)
        kept = {id(item) for item in session.items}
        return Extent(
            files=frozenset(self._files),
            evaluations=frozenset(name for item in session.items for name in _evaluations(item)),
            tests=frozenset(i.nodeid for i in session.items if "torch_launcher" in getattr(i, "fixturenames", ())),
            skipped=frozenset(self._collectors),
            left_out=sum(id(item) not in kept for item in self._items),
        )

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Note a file."""
        if isinstance(collector, pytest.File):
            self._files.add(str(collector.path.resolve()))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a collector that was skipped."""
        if report.skipped:
            self._collectors.add(report.nodeid)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note an item, which something may leave out later without a word."""
        self._items.append(item)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that passed, and one that was skipped."""
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)
        elif report.skipped:
            self.skipped.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller, on a worker."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = self.extent(session).to_output()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker told."""
        if told := getattr(node, "workeroutput", {}).get(_OUTPUT):
            self._outputs.append(told)


def _evaluations(item: pytest.Item) -> Iterable[tuple[str, str, str]]:
    """Yield baseline file, model and dataset of an item of a launcher file."""
    from ..baselines.store import baseline_file

    entry = getattr(item, "entry", None)
    if entry is not None:
        yield _resolved(baseline_file(item.path)), entry.model, entry.dataset


def _resolved(path: Path) -> str:
    return str(path.resolve())

"""``--launcher-review``: questions at the end of a run, metric by metric, about which values to store."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ..record import Record, StoredEntry

__all__ = ["check_terminal", "review"]

_QUESTION = "accept? [y]es/[n]o/[a]ll/[q]uit "
_ANSWERS = {"y": "y", "yes": "y", "n": "n", "no": "n", "a": "a", "all": "a", "q": "q", "quit": "q"}
_TOLERANCE = 1e-9


class _Ended(Exception):
    """Nobody answers any more."""


def check_terminal(config: pytest.Config) -> None:
    """Check that somebody can be asked.

    Raises:
        pytest.UsageError: input or output is no terminal.
    """
    with _uncaptured(config):
        interactive = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    if not interactive:
        raise pytest.UsageError("--launcher-review needs a terminal; without one store values with --launcher-update")


def review(config: pytest.Config, records: Sequence[Record]) -> list[Record]:
    """Ask about every evaluation that failed or improved, and return the records with those accepted as ``updated``.

    The end of the input, Ctrl-C and ``quit`` leave all that was not accepted by then as it is.
    """
    asked = [record for record in records if record.candidate and (record.failed or record.status == "improved")]
    accepted: dict[int, Record] = {}
    if not asked:
        return list(records)
    terminal = config.pluginmanager.getplugin("terminalreporter")
    terminal.section("launcher review")
    dialog = _Dialog(terminal)
    with _uncaptured(config):
        try:
            for record in asked:
                accepted[id(record)] = dialog.reviewed(record)
        except (_Ended, KeyboardInterrupt):
            terminal.ensure_newline()
            terminal.write_line("review ended: nothing more is stored")
    return [accepted.get(id(record), record) for record in records]


@contextmanager
def _uncaptured(config: pytest.Config) -> Iterator[None]:
    """Give back the terminal's own input; outside of tests pytest captures nothing else."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend(in_=True)
    try:
        yield
    finally:
        capture.resume()
        capture.suspend()


@dataclass
class _Dialog:
    """The questions of one review; `everything` and its `reason` hold for whatever comes after the answer "all"."""

    terminal: pytest.TerminalReporter
    everything: bool = False
    reason: str = ""

    def reviewed(self, record: Record) -> Record:
        """Return `record`, as updated if all its metrics were accepted.

        Raises:
            _Ended: the questions are over.
        """
        self.terminal.write_line(f"{record.id}: {record.message}")
        if record.candidate is None or not all(self._accepts(metric) for metric in record.metrics):
            return self._kept(record)
        worse = _worse(record.candidate)
        if not worse:
            return _updated(record, record.candidate, None)
        reason = self._reason(worse)
        return _updated(record, record.candidate, reason) if reason else self._kept(record)

    def _accepts(self, metric: Mapping[str, Any]) -> bool:
        self.terminal.write_line(f"  {_values(metric)}: {metric['verdict']}")
        while not self.everything:
            answer = _ANSWERS.get(self._answer(f"  {_QUESTION}").lower())
            if answer == "q":
                raise _Ended
            self.everything = answer == "a"
            if answer in ("y", "n"):
                return answer == "y"
        return True

    def _reason(self, worse: Sequence[str]) -> str:
        """Return why the metrics `worse` may be lower; empty where nobody says."""
        reason = self.reason or self._answer(f"  {' and '.join(worse)} would get worse; reason: ")
        self.reason = reason if self.everything else ""
        return reason

    def _answer(self, question: str) -> str:
        self.terminal.write(question, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise _Ended
        return line.strip()

    def _kept(self, record: Record) -> Record:
        standing = "the baseline stays as it is" if _previous(record.candidate) else "it stays without a baseline"
        self.terminal.write_line(f"  not accepted: {standing}")
        return record


def _previous(entry: StoredEntry | None) -> Mapping[str, float]:
    return (entry and entry.entry["previous"]) or {}


def _worse(entry: StoredEntry) -> list[str]:
    """Return the metrics whose stored values are better than those of `entry`."""
    previous = _previous(entry)
    losses = {
        name: (previous[name] - metric["value"]) * (1 if metric["higher_is_better"] else -1)
        for name, metric in entry.entry["metrics"].items()
        if name in previous
    }
    return [name for name, loss in losses.items() if loss > _TOLERANCE]


def _updated(record: Record, candidate: StoredEntry, reason: str | None) -> Record:
    from ..gating.wording import and_more

    return replace(
        record,
        status="updated",
        failed=False,
        message=f"{_values(record.metrics[0])}{and_more(len(record.metrics) - 1)}: updated",
        metrics=tuple({**metric, "verdict": "updated"} for metric in record.metrics),
        write=replace(candidate, entry={**candidate.entry, "reason": reason}),
        candidate=None,
    )


def _values(metric: Mapping[str, Any]) -> str:
    from ..gating.wording import compared, format_value

    name, value, baseline = metric["name"], metric["value"], metric["baseline"]
    if baseline is None:
        return f"{name} {format_value(value)}, no baseline"
    against = next((check["against"] for check in metric["checks"]), "baseline")
    return compared(name, value, baseline, against)

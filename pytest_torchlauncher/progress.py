"""How far a long evaluation is, on a line of its own that goes away when the evaluation ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

__all__ = ["ProgressLine", "progress_line"]

_AFTER = 2.0
"""Seconds after which an evaluation counts as long."""
_EVERY = 0.2
_METRIC_EVERY = 1.0
"""Seconds between two values of the metric, which is computed over all samples so far."""

Running = Callable[[], tuple[str, float] | None]


class ProgressLine:
    """Samples done, rate, time left and the running metric, below the line that pytest is writing.

    Args:
        title: of the evaluation.
        write: shows text on the terminal at once.
        width: of the terminal.
        column: of the cursor on pytest's line, to which it returns.
    """

    def __init__(self, title: str, write: Callable[[str], None], width: int, column: int) -> None:
        self._title, self._write = title, write
        self._width, self._column = width, column
        self._done = self._first = 0
        self._start: float | None = None
        self._shown = self._measured = float("-inf")
        self._metric = ""

    def seen(self, count: int, total: int | None, running: Running) -> None:
        """Note `count` more of `total` samples; `running` gives name and value of a metric over those so far."""
        now = monotonic()
        self._done += count
        if self._start is None:
            # The first batch waits for what is made once.
            self._start, self._first = now, self._done
        if now - self._start < _AFTER or now - self._shown < _EVERY:
            return
        if now - self._measured >= _METRIC_EVERY:
            self._measured = now
            self._metric = "{} {:.4f}".format(*value) if (value := running()) else ""
        text = "  ".join(filter(None, (self._title, *self._pace(now - self._start, total), self._metric)))
        self._write(f"{self._to_start}{text[: self._width - 1]}\x1b[K")
        self._shown = now

    def close(self) -> None:
        """Remove the line, and put the cursor back where pytest writes on."""
        if self._is_shown:
            right = f"\x1b[{self._column}C" if self._column else ""
            self._write(f"\r\x1b[K\x1b[A{right}")
            self._shown = float("-inf")

    @property
    def _is_shown(self) -> bool:
        return self._shown > float("-inf")

    @property
    def _to_start(self) -> str:
        return "\r" if self._is_shown else "\r\n"

    def _pace(self, seconds: float, total: int | None) -> tuple[str, ...]:
        rate = (self._done - self._first) / seconds if seconds else 0.0
        speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
        if total is None:
            return f"{self._done:,} samples", speed
        left = _clock((total - self._done) / rate) if rate else "?"
        return f"{self._done:,}/{total:,} samples", speed, f"{left} left"


@contextmanager
def progress_line(config: pytest.Config, title: str) -> Iterator[ProgressLine | None]:
    """Give the line of an evaluation, which goes away; None without a terminal, on an xdist worker and under ``-q``."""
    line = _line(config, title)
    try:
        yield line
    finally:
        if line:
            line.close()


def _line(config: pytest.Config, title: str) -> ProgressLine | None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or not reporter.isatty or hasattr(config, "workerinput") or config.getoption("verbose") < 0:
        return None

    def write(text: str) -> None:
        if capture is None:
            _show(text)
        else:
            with capture.global_and_fixture_disabled():
                _show(text)

    writer = config.get_terminal_writer()
    return ProgressLine(title, write, writer.fullwidth, writer.width_of_current_line % writer.fullwidth)


def _show(text: str) -> None:
    # Not by pytest's writer, which keeps count of the columns of its line.
    sys.stdout.write(text)
    sys.stdout.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""Whole processes, timed in turn."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

# What would slow down pytest alone, or send a side elsewhere.
LEFT_OUT = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTEST_ADDOPTS",
    "DATA_DIR",
    "MODELS_DIR",
    "ANNOTATIONS_DIR",
    "DEFINITIONS_FILE",
)


class Failed(Exception):
    """A process failed, or two sides disagree."""


@dataclass(frozen=True)
class Run:
    """What one side took once: seconds, the largest resident memory in MB, and top-1 and top-5 of every model."""

    seconds: float
    megabytes: float
    answers: Mapping[str, tuple[float, float]] = field(default_factory=dict)


Side = Callable[[], Run]


def timed(command: Sequence[str | Path], folder: Path) -> tuple[Run, str]:
    """Run `command` in `folder`; return what it took, without answers, and what it printed.

    Raises:
        Failed: its exit status is not 0.
    """
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryFile("w+") as output:
        start = perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        # Waiting for one process tells the memory of that one; in `RUSAGE_CHILDREN` is the largest so far.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise Failed(f"{' '.join(map(str, command))}: exit status {process.returncode}\n{text[-3000:]}")
    return Run(seconds, usage.ru_maxrss / 1024), text


def in_turn(sides: Sequence[Side], rounds: int) -> list[tuple[Run, ...]]:
    """Run the sides one after the other, `rounds` times: A B A B ...; return the runs of each round.

    Raises:
        Failed: a process failed.
    """
    return [tuple(side() for side in sides) for _ in range(rounds)]


def check_agreement(one: Run, other: Run, samples: int) -> None:
    """Check that both give the same top-1 and top-5 of the same models, but for one sample.

    Raises:
        Failed: they do not.
    """
    if one.answers.keys() != other.answers.keys() or not one.answers:
        raise Failed(f"answers for {sorted(one.answers)} and for {sorted(other.answers)} found, the same expected")
    for model, values in one.answers.items():
        for a, b in zip(values, other.answers[model], strict=True):
            if abs(a - b) * samples > 1.5:
                raise Failed(f"{model}: {values} and {other.answers[model]} found, the same values expected")

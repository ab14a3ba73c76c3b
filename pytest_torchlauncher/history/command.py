"""``python -m pytest_torchlauncher history``: all runs as CSV or JSON."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import LauncherError, display_path
from ..whole_files import write_whole
from .run import Run, Value

__all__ = ["VERSION", "add_arguments", "run"]

VERSION = 1
"""Of the JSON's format."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--format", choices=sorted(_FORMATS), default="csv", help="csv, a line for each value (the default), or json"
    )
    parser.add_argument(
        "--cache-dir",
        type=Path,
        default=Path(".pytest_cache"),
        metavar="PATH",
        help="pytest's cache directory, .pytest_cache of the current one by default",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write instead of the standard output")


def run(arguments: argparse.Namespace) -> int:
    """Print the history that `arguments` ask for, and return the exit code: 1 where there is none to be read."""
    try:
        _write(_FORMATS[arguments.format](_runs(arguments.cache_dir)).encode(), arguments.output)
    except BrokenPipeError:
        # Whoever read has read enough; Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"the history was not written: {error}", file=sys.stderr)
        return 1
    return 0


def _runs(cache: Path) -> tuple[Run, ...]:
    from .store import FILE, FOLDER, History, HistoryError

    path = cache / "d" / FOLDER / FILE
    if not path.is_file():
        remedy = "run pytest first, or name its cache directory with --cache-dir"
        raise HistoryError(f"{display_path(path)}: no history found; {remedy}")
    return History(path).runs()


def _csv(runs: Iterable[Run]) -> str:
    """Return a line for each value, after what is known of its run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    about = [field.name for field in fields(Run) if field.name != "values"]
    own = [field.name for field in fields(Value)]
    writer.writerow(["run", *about[1:], *own])
    for one in runs:
        told = [getattr(one, name) for name in about]
        writer.writerows([*told, *(getattr(value, name) for name in own)] for value in one.values)
    return text.getvalue()


def _json(runs: Iterable[Run]) -> str:
    report = {"schema": VERSION, "runs": [asdict(one) for one in runs]}
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


_FORMATS = {"csv": _csv, "json": _json}


def _write(content: bytes, path: Path | None) -> None:
    """Write `content` to `path`, whole or not at all, or to the standard output."""
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    write_whole(path, content)

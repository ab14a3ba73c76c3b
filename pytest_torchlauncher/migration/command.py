"""``python -m pytest_torchlauncher import``: a config of the Accuracy Checker becomes launcher files."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, LauncherError, display_path
from ..whole_files import write_whole

if TYPE_CHECKING:
    from .rewriting import Note

__all__ = ["add_arguments", "run"]

_EPILOG = "exit code: 0 where every file was written and loads, 1 where not; what is not carried over is listed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, called as the Accuracy Checker's are."""
    parser.epilog = _EPILOG
    parser.add_argument("configs", nargs="+", type=Path, metavar="config.yml")
    folders = {"-s": "source", "-m": "models", "-a": "annotations"}
    for short, name in folders.items():
        parser.add_argument(short, f"--{name}", type=Path, metavar="FOLDER", help=f"folder of {_FOLDERS[name]}")
    parser.add_argument("-d", "--definitions", type=Path, metavar="FILE", help="file of global definitions")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write; beside each config by default")
    parser.add_argument("--force", action="store_true", help="replace files that are there")


_FOLDERS = {"source": "datasets", "models": "checkpoints", "annotations": "annotations"}


def run(arguments: argparse.Namespace) -> int:
    """Write the launcher files that `arguments` ask for, and return the exit code."""
    codes = []
    for config in arguments.configs:
        try:
            codes.append(_import(config, arguments))
        except LauncherError as error:
            print(error, file=sys.stderr)
            codes.append(1)
        except OSError as error:
            print(f"{display_path(config)}: nothing more was written: {error}", file=sys.stderr)
            codes.append(1)
    return max(codes)


def _import(config: Path, arguments: argparse.Namespace) -> int:
    from ..paths import Roots
    from .config import imported

    for name in _FOLDERS:
        given = getattr(arguments, name)
        if given is not None and not given.is_dir():
            raise LauncherError(f"--{name}: {given} is no folder; correct the path")
    folder = arguments.output or config.parent
    roots = Roots(*(_absolute(getattr(arguments, name)) for name in ("source", "models", "annotations")))
    found = imported(config, roots, _absolute(arguments.definitions), folder)
    standing = [folder / file.name for file in found.files if (folder / file.name).exists()]
    if standing and not arguments.force:
        raise LauncherError(f"{display_path(standing[0])} is there already; give --force to replace it")
    for note in found.notes:
        print(note, file=sys.stderr)
    code = 0 if found.files else 1
    for file in found.files:
        path = folder / file.name
        write_whole(path, "\n".join([*_header(config, file.notes), _yaml(file.content)]))
        print(f"wrote {display_path(path)}")
        for line in (*map(str, file.notes), *(problems := list(_problems(path)))):
            print(line, file=sys.stderr)
        code = max(code, int(bool(problems)))
    return code


def _absolute(path: Path | None) -> Path | None:
    return path.absolute() if path else None


def _header(config: Path, notes: Sequence[Note]) -> Iterator[str]:
    """Yield comments that say where the file is from, and what it lacks."""
    yield f"# From {config.name}."
    for note in notes:
        yield f"# {note.where.file.name}:{note.where.line}:{note.where.column}: {note.path}: {note.text}"
        if note.lost is not None:
            yield from (f"#   {line}" for line in _yaml(note.lost).splitlines())


def _yaml(value: object) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    return text


def _problems(path: Path) -> Iterator[str]:
    """Yield what pytest would find wrong with the launcher file `path`."""
    from ..config.loader import load_file
    from ..config.reading import Settings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what has no effect was told
        try:
            load_file(path, Settings())
        except ConfigError as error:
            yield from map(str, error.problems)

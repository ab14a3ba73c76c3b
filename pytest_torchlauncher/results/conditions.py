"""What a result depends on beside the files that were read: told without torch."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..cores import cores, workers
from ..launcher.importing import top_level_names

__all__ = [
    "conftests",
    "hardware",
    "importable_names",
    "is_of_environment",
    "own_sources",
    "reads_unseen",
    "settings",
]

_OF_SHELLS = (
    "_",
    "COLUMNS",
    "DISPLAY",
    "LINES",
    "LS_COLORS",
    "OLDPWD",
    "PS1",
    "PWD",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "TORCHLAUNCHER_CACHE",
)
_OF_SERVICES = (
    "PYTEST_",
    "SSH_",
    "XDG_",
    "DBUS_",
    "TERM_",
    "VSCODE_",
    "GITHUB_",
    "RUNNER_",
    "CI_",
    "BUILD_",
    "JENKINS_",
)
"""Environment variables, and how they begin, that differ from run to run and change no number."""
_BY_IMPORTS = ("TORCHINDUCTOR_CACHE_DIR", "LD_LIBRARY_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
"""Variables that torch and OpenCV set when they are imported."""
_OF_DISPLAY = (
    "cacheclear",
    "capture",
    "code_highlight",
    "color",
    "durations",
    "durations_min",
    "failedfirst",
    "file_or_dir",
    "fold_skipped",
    "keyword",
    "launcher_cache",
    "launcher_html",
    "launcher_json",
    "lf",
    "last_failed_no_failures",
    "markexpr",
    "maxfail",
    "no_header",
    "no_summary",
    "newfirst",
    "plugins",
    "reportchars",
    "showcapture",
    "showlocals",
    "stepwise",
    "stepwise_reset",
    "stepwise_skip",
    "tbstyle",
    "verbose",
    "xmlpath",
)
"""Options that choose what is run and how it is shown."""
_OF_XDIST = (
    "basetemp",
    "dist",
    "distload",
    "looponfail",
    "maxworkerrestart",
    "numprocesses",
    "px",
    "testrunuid",
    "tx",
    "usepdb",
)


def settings(options: Mapping[str, Any]) -> str:
    """Return versions of Python and of what is installed, cores, paths, variables and pytest's `options`, as text."""
    ignored = {*_OF_SHELLS, *_BY_IMPORTS}
    given = (name for name in os.environ if name not in ignored and not name.startswith(_OF_SERVICES))
    variables = [f"{name}={os.environ[name]}" for name in sorted(given)]
    unshown = {name: value for name, value in options.items() if name not in {*_OF_DISPLAY, *_OF_XDIST}}
    told = sorted((name, repr(value)) for name, value in unshown.items() if " at 0x" not in repr(value))
    paths = [path for path in sys.path if not is_of_environment(os.path.join(path, ""))]
    return repr((sys.version, platform.platform(), cores(), workers(), _packages(), variables, told, paths))


def importable_names(folders: Iterable[Path]) -> list[str]:
    """Return the names of the modules in `folders` and in those of ``sys.path``, the Python environment aside."""
    own = [Path(path) for path in sys.path if path and not is_of_environment(os.path.join(path, ""))]
    places = [folder for folder in (*folders, *own) if folder.is_dir()]
    return [f"{folder}: {sorted(top_level_names(folder))}" for folder in places]


def conftests(launcher_file: Path) -> list[str]:
    """Return the names of the ``conftest.py`` files above `launcher_file`; what they hold is among `own_sources`."""
    return sorted(str(file) for file in _loaded() if _is_above(file, launcher_file))


def own_sources() -> set[str]:
    """Return the source files of all modules that are no part of the Python environment.

    Tests are left out, unless they register a block.
    """
    return {str(file) for file in _loaded() if not _is_test(file) or b"register" in _bytes(file)}


def reads_unseen(sources: Iterable[str]) -> bool:
    """Return whether one of `sources` names a function that reads files where Python does not see it."""
    told = (source for source in sources if source.endswith(".py") and not source.startswith(_PACKAGE))
    return any(_READING.search(_bytes(Path(source))) for source in told)


def _is_test(file: Path) -> bool:
    return file.name.startswith("test_") or file.stem.endswith("_test")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


_READING = re.compile(rb"imread|imreadmulti|jit\.load|read_image|read_file|VideoCapture|load_library|safe_open|CDLL")


def is_of_environment(path: str) -> bool:
    """Return whether `path` lies in the standard library, among installed packages, or in the system's own folders."""
    return path.startswith(_ENVIRONMENT)


def _places() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in names}
    return (*sorted(folders), "/proc/", "/sys/", "/dev/null", "/dev/urandom", "/dev/random", "/dev/tty", "/dev/nvidia")


_ENVIRONMENT = _places()


def _loaded() -> Iterable[Path]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [Path(file) for file in files if isinstance(file, str) and not is_of_environment(os.path.abspath(file))]


def _is_above(file: Path, launcher_file: Path) -> bool:
    return file.name == "conftest.py" and launcher_file.is_relative_to(file.parent)


def _packages() -> str:
    """Return a hash of names and versions of what is installed, as the folders of its metadata are called."""
    folders = {os.path.abspath(path) for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    names = [name for path in sorted(folders) if os.path.isdir(path) for name in os.listdir(path)]
    found = sorted(name for name in names if name.endswith((".dist-info", ".egg-info", ".egg-link")))
    # What was installed from a folder or repository may be something else under the same version.
    places = [Path(path, name) for path in sorted(folders) for name in found if name.endswith(".dist-info")]
    found += [hashlib.sha256(_bytes(place / "RECORD")).hexdigest() for place in places if (place / _DIRECT).exists()]
    return hashlib.sha256("\n".join(found).encode(errors="surrogateescape")).hexdigest()


_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
_DIRECT = "direct_url.json"


def hardware(device: str) -> str | None:
    """Return what is known of `device` as text; None where that is nothing."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        lines = _text(Path("/proc/cpuinfo")).splitlines()
        return repr(sorted({line for line in lines if line.startswith(("model name", "flags"))})) if lines else None
    if kind == "cuda":
        driver = _text(Path("/proc/driver/nvidia/version"))
        boards = sorted(map(str, Path("/proc/driver/nvidia/gpus").glob("*/information")))
        models = [line for board in boards for line in _text(Path(board)).splitlines() if line.startswith("Model")]
        return repr((driver, models)) if driver and models else None
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

"""What a result depends on beside the files that were read: told without torch."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from ..cores import cores, workers

__all__ = ["conftests", "hardware", "is_of_environment", "own_sources", "settings"]

_VARIABLES = (
    "ATEN_",
    "CUBLAS_",
    "CUDA",
    "DNNL_",
    "HF_",
    "KMP_",
    "MKL_",
    "NVIDIA_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "OPENCV_",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "PYTORCH",
    "TORCH",
    "TRANSFORMERS_",
)
"""Environment variables that begin so may change numbers."""
_BY_TORCH = ("TORCHINDUCTOR_CACHE_DIR",)
"""Variables that torch itself sets when it is imported."""


def settings() -> str:
    """Return versions of Python and of what is installed, cores and environment variables, as text."""
    given = (name for name in os.environ if name.startswith(_VARIABLES) and name not in _BY_TORCH)
    variables = [f"{name}={os.environ[name]}" for name in sorted(given)]
    return repr((sys.version, platform.platform(), cores(), workers(), _packages(), variables))


def conftests(launcher_file: Path) -> list[str]:
    """Return the names of the ``conftest.py`` files above `launcher_file`; what they hold is among `own_sources`."""
    return sorted(str(file) for file in _loaded() if _is_above(file, launcher_file))


def own_sources() -> set[str]:
    """Return the source files of all modules that are no part of the Python environment, tests aside."""
    return {str(file) for file in _loaded() if not file.name.startswith("test_") and not file.stem.endswith("_test")}


def is_of_environment(path: str) -> bool:
    """Return whether `path` lies in the standard library, among installed packages, or in the system's own folders."""
    return path.startswith(_ENVIRONMENT)


def _places() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in names}
    return (*sorted(folders), "/proc/", "/sys/", "/dev/")


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
    return hashlib.sha256("\n".join(found).encode(errors="surrogateescape")).hexdigest()


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

"""Accuracy regression tests for PyTorch models, as a pytest plugin.

Public names are resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config.loader import LauncherFileWarning
    from .errors import (
        BaselineError,
        ConfigError,
        DataError,
        LauncherError,
        MissingDataError,
        MissingDeviceError,
        MissingExtraError,
        ModelError,
        NonFiniteError,
        OutputError,
    )
    from .fixture import BoundLauncher, TorchLauncher
    from .kinds import Adapter, Converter, Metric, Postprocessor, Preprocessor, Reader
    from .options import PositiveInt
    from .paths import DataPath, ModelPath
    from .registry import register
    from .runner import AccuracyImprovedWarning
    from .types import (
        Annotated,
        Annotations,
        Batch,
        Dataset,
        DatasetMeta,
        Label,
        Measurement,
        MetricValue,
        Outputs,
        Sample,
        Scores,
    )

_HOMES = {
    "config.loader": ("LauncherFileWarning",),
    "errors": (
        "BaselineError",
        "ConfigError",
        "DataError",
        "LauncherError",
        "MissingDataError",
        "MissingDeviceError",
        "MissingExtraError",
        "ModelError",
        "NonFiniteError",
        "OutputError",
    ),
    "fixture": ("BoundLauncher", "TorchLauncher"),
    "kinds": ("Adapter", "Converter", "Metric", "Postprocessor", "Preprocessor", "Reader"),
    "options": ("PositiveInt",),
    "paths": ("DataPath", "ModelPath"),
    "registry": ("register",),
    "runner": ("AccuracyImprovedWarning",),
    "types": (
        "Annotated",
        "Annotations",
        "Batch",
        "Dataset",
        "DatasetMeta",
        "Label",
        "Measurement",
        "MetricValue",
        "Outputs",
        "Sample",
        "Scores",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AccuracyImprovedWarning",
    "Adapter",
    "Annotated",
    "Annotations",
    "BaselineError",
    "Batch",
    "BoundLauncher",
    "ConfigError",
    "Converter",
    "DataError",
    "DataPath",
    "Dataset",
    "DatasetMeta",
    "Label",
    "LauncherError",
    "LauncherFileWarning",
    "Measurement",
    "Metric",
    "MetricValue",
    "MissingDataError",
    "MissingDeviceError",
    "MissingExtraError",
    "ModelError",
    "ModelPath",
    "NonFiniteError",
    "OutputError",
    "Outputs",
    "PositiveInt",
    "Postprocessor",
    "Preprocessor",
    "Reader",
    "Sample",
    "Scores",
    "TorchLauncher",
    "register",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

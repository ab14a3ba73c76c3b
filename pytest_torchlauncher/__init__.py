"""Accuracy regression tests for PyTorch models, as a pytest plugin.

Public names are resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        BaselineError,
        ConfigError,
        DataError,
        LauncherError,
        LauncherFileWarning,
        MissingDataError,
        MissingDeviceError,
        MissingExtraError,
        ModelError,
        NonFiniteError,
        OutputError,
    )
    from .fixture import BoundLauncher, TorchLauncher
    from .kinds import Adapter, Converter, Metric, Postprocessor, Preprocessor, Reader
    from .options import Compat, PositiveInt
    from .paths import DataPath, ModelPath
    from .registry import register
    from .runner import AccuracyImprovedWarning, AccuracyInconclusiveWarning
    from .types import (
        Annotated,
        Annotations,
        Array,
        Attributes,
        Batch,
        Boxes,
        Color,
        Data,
        Dataset,
        DatasetMeta,
        DepthMap,
        Embedding,
        Geometry,
        Identity,
        Image,
        InFile,
        InstanceMasks,
        Keypoints,
        Label,
        Landmarks,
        Mask,
        MaskScores,
        Matte,
        Measurement,
        MetricValue,
        Named,
        Outputs,
        Pair,
        Rle,
        Sample,
        ScoredBoxes,
        ScoredKeypoints,
        ScoredMasks,
        Scores,
        Text,
        Values,
    )

_HOMES = {
    "errors": (
        "BaselineError",
        "ConfigError",
        "DataError",
        "LauncherError",
        "LauncherFileWarning",
        "MissingDataError",
        "MissingDeviceError",
        "MissingExtraError",
        "ModelError",
        "NonFiniteError",
        "OutputError",
    ),
    "fixture": ("BoundLauncher", "TorchLauncher"),
    "kinds": ("Adapter", "Converter", "Metric", "Postprocessor", "Preprocessor", "Reader"),
    "options": ("Compat", "PositiveInt"),
    "paths": ("DataPath", "ModelPath"),
    "registry": ("register",),
    "runner": ("AccuracyImprovedWarning", "AccuracyInconclusiveWarning"),
    "types": (
        "Annotated",
        "Annotations",
        "Array",
        "Attributes",
        "Batch",
        "Boxes",
        "Color",
        "Data",
        "Dataset",
        "DatasetMeta",
        "DepthMap",
        "Embedding",
        "Geometry",
        "Identity",
        "Image",
        "InFile",
        "InstanceMasks",
        "Keypoints",
        "Label",
        "Landmarks",
        "Mask",
        "MaskScores",
        "Matte",
        "Measurement",
        "MetricValue",
        "Named",
        "Outputs",
        "Pair",
        "Rle",
        "Sample",
        "ScoredBoxes",
        "ScoredKeypoints",
        "ScoredMasks",
        "Scores",
        "Text",
        "Values",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AccuracyImprovedWarning",
    "AccuracyInconclusiveWarning",
    "Adapter",
    "Annotated",
    "Annotations",
    "Array",
    "Attributes",
    "BaselineError",
    "Batch",
    "BoundLauncher",
    "Boxes",
    "Color",
    "Compat",
    "ConfigError",
    "Converter",
    "Data",
    "DataError",
    "DataPath",
    "Dataset",
    "DatasetMeta",
    "DepthMap",
    "Embedding",
    "Geometry",
    "Identity",
    "Image",
    "InFile",
    "InstanceMasks",
    "Keypoints",
    "Label",
    "Landmarks",
    "LauncherError",
    "LauncherFileWarning",
    "Mask",
    "MaskScores",
    "Matte",
    "Measurement",
    "Metric",
    "MetricValue",
    "MissingDataError",
    "MissingDeviceError",
    "MissingExtraError",
    "ModelError",
    "ModelPath",
    "Named",
    "NonFiniteError",
    "OutputError",
    "Outputs",
    "Pair",
    "PositiveInt",
    "Postprocessor",
    "Preprocessor",
    "Reader",
    "Rle",
    "Sample",
    "ScoredBoxes",
    "ScoredKeypoints",
    "ScoredMasks",
    "Scores",
    "Text",
    "TorchLauncher",
    "Values",
    "register",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

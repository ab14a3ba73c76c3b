"""Paths of a launcher file: relative to it, or below the roots that the options name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic_core import CoreSchema, core_schema

from .located import Text
from .refusal import found, refused

__all__ = ["AnnotationPath", "Context", "DataPath", "FilePath", "ModelPath", "ModuleName", "Rooted", "Roots"]


@dataclass(frozen=True)
class Roots:
    """Folders that relative paths of the file may be below: those of ``--launcher-data-dir`` and its like."""

    data: Path | None = None
    models: Path | None = None
    annotations: Path | None = None


@dataclass(frozen=True)
class Context:
    """What holds for all values of a mapping, wherever they stand in it.

    Args:
        roots: folders of relative paths.
        compat: what blocks with an option of that name get, where their own mapping gives none.
    """

    roots: Roots = Roots()
    compat: str | None = None


@dataclass(frozen=True)
class Rooted:
    """Resolves a path: models beside the file first, then below their root; the others the other way round."""

    root: Literal["data", "models", "annotations"] | None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.resolve)

    def resolve(self, raw: Any, info: core_schema.ValidationInfo) -> Path:
        """Return the path that `raw` is."""
        if isinstance(raw, Path) and raw.is_absolute():
            return raw
        if not isinstance(raw, str | Path) or not str(raw):
            raise refused(f"{found(raw)} found, a path expected")
        return self.found(raw, (info.context or Context()).roots)

    def found(self, raw: str | Path, roots: Roots) -> Path:
        """Return where the path `raw` is, whether or not something is there."""
        path = Path(raw).expanduser()
        beside = (raw.where.file.parent if isinstance(raw, Text) else Path.cwd()) / path
        root = getattr(roots, self.root) if self.root else None
        if root is None:
            return beside
        below = root / path
        first, second = (beside, below) if self.root == "models" else (below, beside)
        return second if not first.exists() and second.exists() else first


DataPath = Annotated[Path, Rooted("data")]
"""A file or folder of a dataset: below ``--launcher-data-dir`` where given, else relative to the launcher file."""

AnnotationPath = Annotated[Path, Rooted("annotations")]
"""A file below ``--launcher-annotations-dir`` where given, else relative to the launcher file."""

ModelPath = Annotated[Path, Rooted("models")]
"""A file beside the launcher file, else below ``--launcher-models-dir``."""

FilePath = Annotated[Path, Rooted(None)]
"""A path relative to the launcher file."""


class ModuleName(str):
    """What ``module`` names; `path` is where it lies if it is a file or folder, None for a dotted path."""

    __slots__ = ("path",)
    path: Path | None

    def __new__(cls, value: str, path: Path | None = None) -> ModuleName:
        """Return `value`, which lies at `path`."""
        name = super().__new__(cls, value)
        name.path = path
        return name

    def __repr__(self) -> str:
        """Return all of it: two files may lie at different places under one name."""
        return super().__repr__() if self.path is None else f"ModuleName({super().__repr__()}, {self.path!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Return a schema that tells files, found as `ModelPath` are, from dotted paths."""
        return core_schema.with_info_plain_validator_function(cls._resolve)

    @classmethod
    def _resolve(cls, raw: Any, info: core_schema.ValidationInfo) -> ModuleName:
        if not isinstance(raw, str) or not raw:
            raise refused(f"{found(raw)} found, a dotted path or a file expected")
        return cls(raw, Rooted("models").resolve(raw, info) if cls.is_file(raw) else None)

    @staticmethod
    def is_file(raw: str) -> bool:
        """Return whether `raw` names a file or folder rather than a dotted path."""
        return "/" in raw or Path(raw).suffix in (".pt", ".pth", ".pt2")

"""Datasets on disk: annotations by a converter, items by a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, MissingDataError, display_path, told
from ..kinds import Reader
from ..options import Component
from ..plan import Amount, DatasetSpec
from ..types import Annotated, Annotation, Annotations, Color, Data, Dataset, InFile, Sample
from .digest import digest_of
from .limit import limited
from .subset import drawn

__all__ = ["StoredSamples", "open_stored"]

_DEFAULT_READER = "opencv_imread"


def open_stored(spec: DatasetSpec, limit: Amount | None = None) -> Dataset:
    """Return the dataset that `spec` names, its samples read as they are asked for, by any thread.

    Args:
        spec: the dataset's entry in the launcher file.
        limit: how many of the samples are asked for; all of them by default.

    Raises:
        MissingDataError: annotations or ``data_source`` are not on this machine.
        DataError: annotations that cannot be used, or files that are missing among them.
    """
    annotations = _convert(spec)
    if not annotations.items:
        raise DataError(
            "annotation_conversion: no annotated item found, at least one expected; look at its options",
            spec.where["annotation_conversion"],
        )
    root = spec.data_source or annotations.root
    if root is None and any(item.data is None for item in annotations.items):
        raise DataError("data_source is missing; it names the folder where the images lie", spec.where.own)
    if spec.data_source is not None and not spec.data_source.is_dir():
        raise MissingDataError(f"data_source: {spec.data_source} is not there", spec.where["data_source"])
    reader: Component[Reader] = spec.reader or Component.build(Reader, _DEFAULT_READER)
    from_files = spec.data_source is not None or annotations.items[0].data is None
    items = [annotations.items[position] for position in drawn([i.annotation for i in annotations.items], spec)]
    if limit is not None:
        items = [items[position] for position in limited([(i.identifier, i.annotation) for i in items], limit)]
    return Dataset(StoredSamples(items, root if from_files else None, reader, spec), annotations.meta)


def _convert(spec: DatasetSpec) -> Annotations:
    if spec.annotation_conversion is None:
        raise DataError("annotation_conversion is missing", spec.where.own)
    with told(spec.annotation_conversion.name, spec.annotation_conversion.where.own, DataError):
        return spec.annotation_conversion.block.convert()


@dataclass(frozen=True)
class StoredSamples:
    """The samples of a stored dataset; `root` is None where the annotation file itself holds the images."""

    items: Sequence[Annotated]
    root: Path | None
    reader: Component[Reader]
    spec: DatasetSpec

    def __len__(self) -> int:
        return len(self.items)

    @property
    def on_threads(self) -> bool:
        """Whether several threads may read samples at a time."""
        converter = self.spec.annotation_conversion
        return self.reader.block.on_threads and (converter is None or converter.block.on_threads)

    def files(self) -> Iterator[Path]:
        """Yield the files of all samples."""
        for item in self.items:
            if self.root is not None:
                yield from (self.root / name for name in _names(item))
            if isinstance(item.annotation, InFile):
                yield self._path(item.annotation)

    def __iter__(self) -> Iterator[Sample]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, position: int) -> Sample:
        item = self.items[position]
        data, color, digest = self._held(item) if self.root is None else self._read(item, self.root)
        annotation = self._annotation(item)
        return Sample(item.identifier, data, annotation, color, digest, region=item.region, metadata=item.metadata)

    def _held(self, item: Annotated) -> tuple[Data, Color | None, str]:
        if item.data is None:
            raise DataError(
                f"{item.identifier} has no data in its annotation file; give data_source, the folder of the images",
                self.reader.where.own,
            )
        return item.data, item.color, digest_of(item.data)

    def _read(self, item: Annotated, root: Path) -> tuple[Data, Color | None, str]:
        if not item.parts:
            file = item.file or item.identifier
            content = self._fetch(file, root)
            return *self._decode(file, root, content), hashlib.sha256(content).hexdigest()
        contents = {part: self._fetch(part, root) for part in item.parts}
        decoded = {part: self._decode(part, root, content) for part, content in contents.items()}
        parts = {part: data for part, (data, _) in decoded.items()}
        _, color = decoded[item.parts[0]]
        digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents.values()))
        return parts, color, digest.hexdigest()

    def _fetch(self, file: str, root: Path) -> bytes:
        with told(self.reader.name, self.reader.where.own, DataError):
            try:
                return self.reader.block.fetch(root, file)
            except OSError as error:
                raise DataError(self._missing(root, file, error), self.reader.where.own) from None

    def _decode(self, file: str, root: Path, content: bytes) -> tuple[Data, Color | None]:
        try:
            return self.reader.block.decode(content)
        except ValueError as error:
            raise DataError(f"{self.reader.name}: {root / file}: {error}", self.reader.where.own) from None

    def _missing(self, root: Path, file: str, error: OSError) -> str:
        files = [name for item in self.items for name in _names(item)]
        missing = [name for name in files if not (root / name).exists()]
        if not missing:
            return f"{root / file} cannot be read: {error.strerror or error}"
        return f"{len(missing)} of {len(files)} annotated files are not in {root}, the first is {missing[0]}"

    def _annotation(self, item: Annotated) -> Annotation:
        return self._from_file(item.annotation) if isinstance(item.annotation, InFile) else item.annotation

    def _path(self, stored: InFile) -> Path:
        spec = self.spec
        source = spec.segmentation_masks_source or spec.additional_data_source or stored.root or spec.data_source
        return Path(source or ".") / stored.file

    def _from_file(self, stored: InFile) -> Annotation:
        """Return the annotation that lies in the file `stored`."""
        path, where = self._path(stored), self.spec.where["annotation_conversion"]
        try:
            annotation: Annotation = stored.decode(path.read_bytes())
        except OSError as error:
            raise DataError(f"annotation {display_path(path)} cannot be read: {error.strerror}", where) from None
        except ValueError as error:
            raise DataError(f"annotation {display_path(path)}: {error}", where) from None
        return annotation


def _names(item: Annotated) -> tuple[str, ...]:
    """Return the files that `item` is made of."""
    return item.parts or (item.file or item.identifier,)

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# An in-process run drops from sys.modules what it is the first to import: torch cannot be imported twice, and a second
# import of hypothesis, by its plugin, or of the package itself takes longer than most tests.
import hypothesis  # noqa: F401
import pytest
import torch
import torchvision  # noqa: F401

import pytest_torchlauncher.fixture
import pytest_torchlauncher.settings  # noqa: F401
from pytest_torchlauncher import registry
from pytest_torchlauncher.kinds import Block
from pytest_torchlauncher.reference_names import REFERENCE_NAMES

pytest_plugins = ["pytester"]

TINY_MODULE = """
import torch


class Tiny(torch.nn.Module):
    '''Scores three classes by the distance of the mean grey value from 0.1, 0.5 and 0.9.'''

    def __init__(self, centers=(0.1, 0.5, 0.9)):
        super().__init__()
        self.centers = torch.nn.Parameter(torch.tensor(centers))

    def forward(self, image):
        assert image.shape[1:] == (1, 4, 4) and image.dtype == torch.float32, image.shape
        return -((image.mean((1, 2, 3))[:, None] - self.centers) ** 2) * 100
"""

TINY_FILE = """\
name: tiny
launchers:
  - framework: pytorch
    module: tiny.Tiny
    python_path: .
    checkpoint: tiny.pt
    batch: 4
    adapter: classification
datasets:
  - name: greys
    data_source: images
    reader: {type: opencv_imread, reading_flag: gray}
    annotation_conversion: {converter: imagenet, annotation_file: val.txt}
    preprocessing:
      - {type: normalization, std: 255}
    metrics:
      - {type: accuracy, name: top1}
"""


class TinyProject:
    """A launcher file with a model, a checkpoint and twelve 4×4 images of three classes, one of them labelled wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "tiny.launcher.yml"
        self.baseline = folder / "__baselines__" / "tiny.json"

    def write(self) -> "TinyProject":
        import cv2
        import numpy as np

        (self.folder / "images").mkdir(exist_ok=True)
        labels = []
        for index in range(12):
            grey = (26, 128, 230)[index % 3] + index - 6
            cv2.imwrite(str(self.folder / "images" / f"{index:02}.png"), np.full((4, 4), grey, np.uint8))
            labels.append(f"{index:02}.png {index % 3 if index else 1}")
        (self.folder / "val.txt").write_text("\n".join(labels) + "\n")
        (self.folder / "tiny.py").write_text(TINY_MODULE)
        self.file.write_text(TINY_FILE)
        self.save_centers(0.1, 0.5, 0.9)
        return self

    def save_centers(self, *centers: float) -> None:
        torch.save({"centers": torch.tensor(centers)}, self.folder / "tiny.pt")

    def replace(self, old: str, new: str, name: str = "tiny.launcher.yml") -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new))


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch, _built_in: dict[str, dict[str, type[Block]]]) -> None:
    """Give each test a registry of its own, with everything built in already there: a module registers only once."""
    monkeypatch.setattr(registry, "_registered", {kind: dict(blocks) for kind, blocks in _built_in.items()})


@pytest.fixture(scope="session")
def _built_in() -> dict[str, dict[str, type[Block]]]:
    for kind in REFERENCE_NAMES:
        registry.names(kind)
    return registry._registered


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's settings out, and the terminal wide enough for whole lines."""
    for name in ("CI", "DATA_DIR", "MODELS_DIR", "ANNOTATIONS_DIR", "DEFINITIONS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the locks of baseline files where pytest removes them, those of processes that tests start included."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr("tempfile.tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _outside_github() -> Iterator[None]:
    """Keep what the tests' own runs of pytest tell GitHub out of the run that tests this project."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def tiny(pytester: pytest.Pytester) -> TinyProject:
    return TinyProject(pytester.path).write()


@pytest.fixture
def launcher_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a dedented launcher file and return its path."""

    def write(text: str, name: str = "model.launcher.yml") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def mapping_file(**changes: Any) -> Mapping[str, Any]:
    """Return the tiny launcher file as a mapping; `changes` replace top-level keys."""
    import yaml

    return {**yaml.safe_load(TINY_FILE), **changes}

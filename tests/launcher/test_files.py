import re
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from checkpoint_specs import AGAIN, SAVE_STATE, Net, failure, load, same
from safetensors.torch import save_file
from torch import nn

from pytest_torchlauncher.launcher.files import kind_of


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return Net().state_dict()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


UNKNOWN = "is not a checkpoint; a file written by torch.save or safetensors expected"


def test_missing_file(path: Path) -> None:
    expected = "does not exist; a file beside the launcher file or below --launcher-models-dir expected"
    assert failure(path) == expected


def test_a_broken_file_is_told_before_the_module_is_built(path: Path) -> None:
    def unbuilt() -> nn.Module:
        raise AssertionError("built")

    assert failure(path, unbuilt).startswith("does not exist")


def test_folder(tmp_path: Path) -> None:
    assert failure(tmp_path) == "is a folder; a file expected"


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert failure(tmp_path / name) == f"is empty; {AGAIN}"


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_git_lfs_pointer(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n")
    assert failure(tmp_path / name) == "is a git-LFS pointer, not the file it stands for; run: git lfs pull"


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older format"])
def test_truncated(path: Path, state: dict[str, torch.Tensor], zipped: bool, weights_only: bool) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for size in (*range(30, len(whole), len(whole) // 40), len(whole) - 1):
        path.write_bytes(whole[:size])
        assert failure(path, checkpoint_weights_only=weights_only) == f"is truncated; {AGAIN}", size


@pytest.mark.parametrize("size", [20, -50])
def test_truncated_safetensors(tmp_path: Path, state: dict[str, torch.Tensor], size: int) -> None:
    path = tmp_path / "net.safetensors"
    save_file(state, path)
    path.write_bytes(path.read_bytes()[:size])
    assert failure(path) == f"is truncated; {AGAIN}"


def test_file_that_is_no_checkpoint(path: Path) -> None:
    for content in (b"hello world, nothing to load\n" * 3, b"\x89PNG\r\n\x1a\n" + bytes(64), b"x", bytes(2048)):
        path.write_bytes(content)
        assert failure(path) == UNKNOWN
        assert failure(path, checkpoint_weights_only=False) == UNKNOWN


def test_archives_that_are_no_checkpoints(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no tensors")
    assert failure(path) == UNKNOWN
    with tarfile.open(path, "w") as tar:
        tar.add(__file__, "readme.txt")
    assert failure(path) == UNKNOWN


def test_zip_with_a_damaged_pickle(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02junk")
        archive.writestr("net/version", "3")
    assert re.fullmatch(rf"cannot be read: torch\.load raised .*; {AGAIN}", failure(path))


def test_compressed_zip(path: Path, tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save(state, path)
    compressed = tmp_path / "compressed.pt"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert (kind_of(path), kind_of(compressed)) == ("zip", "compressed zip")
    assert same(load(compressed).module, state)


def test_file_that_is_no_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"hello world, nothing to load\n" * 3)
    assert re.fullmatch(rf"is not a safetensors file \(.*header too large.*\); {AGAIN}", failure(path))


def test_torchscript(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), path)
    expected = f"is a TorchScript program, not a state dict; name it as 'module', or {SAVE_STATE}"
    assert failure(path) == expected
    assert failure(path, checkpoint_weights_only=False) == expected


@pytest.mark.parametrize("name", ["net.pt2", "net.pt"])
def test_exported_program(tmp_path: Path, name: str) -> None:
    exported = torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),))
    torch.export.save(exported, tmp_path / "net.pt2")
    (tmp_path / "net.pt2").rename(tmp_path / name)
    expected = f"is a program of torch.export, not a state dict; name it as 'module', or {SAVE_STATE}"
    assert failure(tmp_path / name) == expected

import argparse
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pytest_torchlauncher.errors import MissingExtraError, ModelError, Position
from pytest_torchlauncher.launcher.checkpoint import load_checkpoint
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.plan import LauncherSpec

FILE = Path("net.launcher.yml")
CHECKPOINT, STATE_KEY = Position(FILE, 5, 17), Position(FILE, 6, 16)
WHERE = Where(Position(FILE, 2, 5), {"checkpoint": CHECKPOINT, "state_key": STATE_KEY})
AGAIN = "copy or download it again"
SAVE_STATE = "save its state dict alone: torch.save(model.state_dict(), path)"


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3)
        self.bn = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, 2)


def _spec(path: Path, **keys: Any) -> LauncherSpec:
    adapter: Any = None
    return LauncherSpec("pytorch", "nets.Net", adapter, checkpoint=path, where=WHERE, **keys)


def _load(path: Path, module: nn.Module | None = None, **keys: Any) -> nn.Module:
    module = Net() if module is None else module
    load_checkpoint(module, _spec(path, **keys))
    return module


def _failure(path: Path, module: nn.Module | None = None, at: Position = CHECKPOINT, **keys: Any) -> str:
    """Return what the error says of the checkpoint, after its place and name."""
    with pytest.raises(ModelError) as info:
        _load(path, module, **keys)
    assert info.value.where == at
    assert str(info.value) == f"{at}: {info.value.message}"
    subject = f"checkpoint: {path} "
    assert info.value.message.startswith(subject)
    return info.value.message.removeprefix(subject)


def _same(module: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    own = module.state_dict()
    return own.keys() == state.keys() and all(torch.equal(own[name], state[name]) for name in own)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return Net().state_dict()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


def _script(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), path)


def test_without_checkpoint_the_module_stays_as_it_was_built(path: Path) -> None:
    module = Net()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    load_checkpoint(module, LauncherSpec("pytorch", "nets.Net", None, where=WHERE))  # type: ignore[arg-type]
    assert _same(module, before)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ""])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older format"])
def test_state_dict(tmp_path: Path, state: dict[str, torch.Tensor], suffix: str, zipped: bool) -> None:
    path = tmp_path / f"net{suffix}"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    assert _same(_load(path), state)


def test_safetensors(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    save_file(state, tmp_path / "net.safetensors")
    assert _same(_load(tmp_path / "net.safetensors"), state)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_state_saved_on_cuda_is_loaded_on_the_cpu(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({name: tensor.cuda() for name, tensor in state.items()}, path)
    module = _load(path)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
    assert _same(module, state)


@pytest.mark.parametrize("key", ["model", "ema.model", "ema.model.v2", "run.1.state"])
def test_state_key(path: Path, state: dict[str, torch.Tensor], key: str) -> None:
    nested = {"model": state, "ema": {"model": state, "model.v2": state}, "run.1": {"state": state}}
    others = {"model": {"wrong": torch.zeros(1)}, "ema": {"model": 0, "model.v2": 0}, "run.1": {"state": 0}}
    merged = {top: {**others[top], **nested[top]} if top != "model" else state for top in nested}
    torch.save({"epoch": 3, **merged}, path)
    assert _same(_load(path, state_key=key), state)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_stripped(path: Path, state: dict[str, torch.Tensor], prefix: str) -> None:
    torch.save({prefix + name: tensor for name, tensor in state.items()}, path)
    assert _same(_load(path), state)


def test_data_parallel(path: Path, state: dict[str, torch.Tensor]) -> None:
    net = Net()
    net.load_state_dict(state)
    torch.save(nn.DataParallel(net).state_dict(), path)
    assert _same(_load(path), state)


def test_a_prefix_of_the_module_itself_is_kept(path: Path) -> None:
    holder = nn.ModuleDict({"module": nn.Linear(2, 2)})
    state = {name: torch.ones_like(tensor) for name, tensor in holder.state_dict().items()}
    torch.save(state, path)
    assert _same(_load(path, holder), state)


def test_a_prefix_of_some_keys_only_is_kept(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({("module." if name.startswith("fc") else "") + name: tensor for name, tensor in state.items()}, path)
    assert "2 unexpected: module.fc.weight, module.fc.bias" in _failure(path)


def test_what_torch_converts_itself_is_no_mismatch(path: Path, state: dict[str, torch.Tensor]) -> None:
    del state["bn.num_batches_tracked"]
    torch.save(dict(state), path)
    assert torch.equal(_load(path).get_buffer("bn.running_mean"), state["bn.running_mean"])


def test_nothing_of_a_checkpoint_is_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "trace"),)

    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    for zipped in (True, False):
        torch.save({"state": state, "payload": Payload()}, path, _use_new_zipfile_serialization=zipped)
        failure = _failure(path, state_key="state")
        assert failure == (
            "holds more than tensors (posix.mkdir), and loading that could run code from the file; " + SAVE_STATE
        )
        assert not (tmp_path / "trace").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "trace").exists()


def test_unsafe_globals_are_named(path: Path) -> None:
    torch.save({"state": nn.Linear(1, 1), "args": argparse.Namespace(lr=0.1)}, path)
    assert "(argparse.Namespace, torch.nn.modules.linear.Linear)" in _failure(path)


def test_missing_file(path: Path) -> None:
    expected = "does not exist; a file beside the launcher file or below --launcher-models-dir expected"
    assert _failure(path) == expected


def test_folder(tmp_path: Path) -> None:
    assert _failure(tmp_path) == "is a folder; a file expected"


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert _failure(tmp_path / name) == f"is empty; {AGAIN}"


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_git_lfs_pointer(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n")
    assert _failure(tmp_path / name) == "is a git-LFS pointer, not the file it stands for; run: git lfs pull"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older format"])
def test_truncated(path: Path, state: dict[str, torch.Tensor], zipped: bool) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for size in (*range(30, len(whole), len(whole) // 40), len(whole) - 1):
        path.write_bytes(whole[:size])
        assert _failure(path) == f"is truncated; {AGAIN}", size


@pytest.mark.parametrize("size", [20, -50])
def test_truncated_safetensors(tmp_path: Path, state: dict[str, torch.Tensor], size: int) -> None:
    path = tmp_path / "net.safetensors"
    save_file(state, path)
    path.write_bytes(path.read_bytes()[:size])
    assert _failure(path) == f"is truncated; {AGAIN}"


def test_file_that_is_no_checkpoint(path: Path) -> None:
    expected = "is not a checkpoint; a file written by torch.save or safetensors expected"
    for content in (b"hello world, nothing to load\n" * 3, b"\x89PNG\r\n\x1a\n" + bytes(64), b"x"):
        path.write_bytes(content)
        assert _failure(path) == expected


def test_zip_that_is_no_checkpoint(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no tensors")
    assert _failure(path) == "is not a checkpoint; a file written by torch.save or safetensors expected"


def test_zip_with_a_damaged_pickle(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02junk")
        archive.writestr("net/version", "3")
    assert _failure(path).startswith("cannot be read: torch.load raised ")


def test_file_that_is_no_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"hello world, nothing to load\n" * 3)
    assert re.fullmatch(r"is not a safetensors file \(.*header too large.*\)", _failure(path))


def test_safetensors_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "net.safetensors"
    save_file(state, path)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingExtraError) as info:
        _load(path)
    install = 'pip install "pytest-torchlauncher[safetensors]"'
    assert str(info.value) == f"{CHECKPOINT}: checkpoint: {path} needs safetensors: {install}"


def test_torchscript(path: Path) -> None:
    _script(path)
    assert _failure(path) == f"is a TorchScript program, not a state dict; name it as 'module', or {SAVE_STATE}"


@pytest.mark.parametrize("name", ["net.pt2", "net.pt"])
def test_exported_program(tmp_path: Path, name: str) -> None:
    exported = torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),))
    torch.export.save(exported, tmp_path / "net.pt2")
    (tmp_path / "net.pt2").rename(tmp_path / name)
    expected = f"is a program of torch.export, not a state dict; name it as 'module', or {SAVE_STATE}"
    assert _failure(tmp_path / name) == expected


def test_wrong_state_key(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({"epoch": 3, "model": state, "ema": {"model": state}}, path)
    there = "there are 'epoch', 'model', 'ema', 'ema.model'"
    assert _failure(path, at=STATE_KEY, state_key="modle") == f"has no 'modle'; {there}; did you mean 'model'?"
    assert (
        _failure(path, at=STATE_KEY, state_key="ema.modle") == f"has no 'ema.modle'; {there}; did you mean 'ema.model'?"
    )
    assert _failure(path, at=STATE_KEY, state_key="zzz") == f"has no 'zzz'; {there}"


def test_state_key_of_something_else(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({"epoch": 3, "model": state}, path)
    expected = "holds no state dict under 'epoch' but an object of type int; set state_key to where one lies: 'model'"
    assert _failure(path, at=STATE_KEY, state_key="epoch") == expected


def test_state_key_without_any_mapping(path: Path) -> None:
    torch.save([1, 2], path)
    assert _failure(path, at=STATE_KEY, state_key="model") == "has no 'model'; there are no keys"


def test_mapping_that_is_no_state_dict(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({"epoch": 3, "model": state, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}}, path)
    assert _failure(path) == (
        "holds no state dict but a mapping with 'epoch' (int), 'model' (OrderedDict), 'optimizer' (dict); "
        "set state_key to where one lies: 'model'"
    )


def test_content_without_any_state_dict(path: Path) -> None:
    torch.save([torch.zeros(1)], path)
    assert _failure(path) == f"holds no state dict but an object of type list; {SAVE_STATE}"
    torch.save({}, path)
    assert _failure(path) == f"holds no state dict but an empty mapping; {SAVE_STATE}"


ADVICE = "; are the module and its arguments those of the training?"


def test_everything_that_does_not_fit_is_listed(path: Path, state: dict[str, torch.Tensor]) -> None:
    del state["bn.bias"]
    torch.save({**state, "head.weight": torch.zeros(1), "fc.bias": torch.zeros(3), "conv.bias": torch.zeros(5)}, path)
    assert _failure(path) == (
        "does not fit nets.Net: 1 missing: bn.bias; 1 unexpected: head.weight; 2 of another shape: "
        "conv.bias (5,) where the module has (4,), fc.bias (3,) where the module has (2,)" + ADVICE
    )


def test_missing_keys_alone(path: Path, state: dict[str, torch.Tensor]) -> None:
    del state["conv.weight"], state["fc.bias"]
    torch.save(state, path)
    assert _failure(path) == f"does not fit nets.Net: 2 missing: conv.weight, fc.bias{ADVICE}"


def test_long_lists_are_cut(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({**state, **{f"extra.{index:02}": torch.zeros(1) for index in range(13)}}, path)
    names = ", ".join(f"extra.{index:02}" for index in range(10))
    assert _failure(path) == f"does not fit nets.Net: 13 unexpected: {names} and 3 more{ADVICE}"


def test_no_key_matches(path: Path) -> None:
    torch.save({"a": torch.zeros(1), "b": torch.zeros(1)}, path)
    assert _failure(path, nn.Linear(1, 1)) == "has no key of nets.Net; its keys: a, b; the module's: bias, weight"
    assert _failure(path, nn.ReLU()) == "has no key of nets.Net; its keys: a, b; the module's: none"


def test_exception_of_the_module_while_loading(path: Path, state: dict[str, torch.Tensor]) -> None:
    class Refusing(Net):
        def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("not\n  these")

    torch.save(state, path)
    assert _failure(path, Refusing()) == "cannot be loaded into nets.Net: RuntimeError: not these"
    with pytest.raises(ModelError) as info:
        _load(path, Refusing())
    assert isinstance(info.value.__cause__, RuntimeError)


def test_extra_state(path: Path) -> None:
    class Extra(nn.Linear):
        def get_extra_state(self) -> Any:
            return {"version": 2}

        def set_extra_state(self, state: Any) -> None:
            self.version = state["version"]

    torch.save(Extra(2, 2).state_dict(), path)
    module = _load(path, Extra(2, 2))
    assert module.version == 2
    assert "1 of another shape: weight (2, 2) where the module has (2, 3)" in _failure(path, Extra(3, 2))

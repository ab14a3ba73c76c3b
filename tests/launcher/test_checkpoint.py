import argparse
import io
import os
import pickle
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_specs import PLACES, SAVE_STATE, TRUST, Net, failure, load, same
from safetensors.torch import save_file
from torch import nn

from pytest_torchlauncher.errors import MissingExtraError

ANYWHERE = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older format"])


class Extra(nn.Linear):
    def __init__(self, width: int = 2) -> None:
        super().__init__(width, 2)
        self.version = 2

    def get_extra_state(self) -> Any:
        return {"version": self.version}

    def set_extra_state(self, state: Any) -> None:
        self.version = state["version"] + 1


class Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return Net().state_dict()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


def _save_tar(content: bytes, path: Path, values: list[float]) -> None:
    """Write what torch did before 0.1.10: `content` is a pickle in which the persistent id 1 stands for `values`."""
    floats = struct.pack(f"<q{len(values)}f", len(values), *values)
    storages = _pickles(1, (7, "cpu", torch.FloatStorage)) + floats + _pickles([])
    tensor = struct.pack("<iiqqq", 1, 0, len(values), 1, 0)
    with tarfile.open(path, "w") as archive:
        for name, data in {
            "sys_info": b"",
            "pickle": content,
            "tensors": _pickles(1, (1, 7, torch.FloatTensor)) + tensor,
            "storages": storages,
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def _pickles(*values: Any) -> bytes:
    return b"".join(pickle.dumps(value, 2) for value in values)


def _state_as_tar(path: Path) -> None:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 2)
    pickler.persistent_id = lambda value: 1 if isinstance(value, torch.Tensor) else None  # type: ignore[method-assign]
    pickler.dump({"weight": torch.zeros(1)})
    _save_tar(buffer.getvalue(), path, [0.5, 2])


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))


class TestForms:
    @pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ""])
    @ANYWHERE
    def test_state_dict(self, tmp_path: Path, state: dict[str, torch.Tensor], suffix: str, zipped: bool) -> None:
        path = tmp_path / f"net{suffix}"
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        loaded = load(path)
        assert same(loaded.module, state)
        assert loaded.lean
        assert same(load(path, checkpoint_weights_only=False).module, state)

    @pytest.mark.parametrize("name", ["net.safetensors", "net.bin"])
    def test_safetensors(self, tmp_path: Path, state: dict[str, torch.Tensor], name: str) -> None:
        save_file(state, tmp_path / name)
        assert same(load(tmp_path / name).module, state)

    def test_tar_format(self, path: Path) -> None:
        _state_as_tar(path)
        expected = f"is in the tar format of torch before 0.1.10; load it and save it again, {TRUST}"
        assert failure(path, Scale) == expected

    @pytest.mark.filterwarnings("ignore:Python 3.14 will:DeprecationWarning")
    def test_trusted_tar_format(self, path: Path) -> None:
        _state_as_tar(path)
        module = load(path, Scale, checkpoint_weights_only=False).module
        assert module.get_parameter("weight").tolist() == [0.5, 2]

    def test_parameters_and_plain_mappings(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({**dict(state), **dict(Net().named_parameters())}, path)
        module = load(path).module
        assert all(type(tensor) is torch.Tensor for tensor in module.buffers())
        assert torch.equal(module.get_buffer("bn.running_mean"), state["bn.running_mean"])

    @ANYWHERE
    def test_state_saved_on_cuda_is_loaded_on_the_cpu(
        self, path: Path, state: dict[str, torch.Tensor], zipped: bool
    ) -> None:
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        _say_cuda(path, zipped)
        with pytest.raises(RuntimeError, match="on a CUDA device but"):
            torch.load(path)
        module = load(path).module
        assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
        assert same(module, state)

    @pytest.mark.cuda
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    def test_state_saved_by_cuda_itself(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({name: tensor.cuda() for name, tensor in state.items()}, path)
        assert same(load(path).module, state)

    def test_extra_state(self, path: Path) -> None:
        torch.save(Extra().state_dict(), path)
        assert load(path, Extra).module.version == 3
        expected = "1 of another shape: weight (2, 2) where the module has (2, 3)"
        assert expected in failure(path, Extra, module_args=(3,))


def _say_cuda(path: Path, zipped: bool) -> None:
    """Rewrite the location ``cpu`` in the pickle of `path` as ``cuda:0``."""

    def on_cuda(data: bytes) -> bytes:
        found, put = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
        assert found in data
        return data.replace(found, put)

    if not zipped:
        path.write_bytes(on_cuda(path.read_bytes()))
        return
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in members.items():
            target.writestr(name, on_cuda(data) if name.endswith("/data.pkl") else data)


class TestStateKey:
    @pytest.mark.parametrize("key", ["model", "ema.model", "ema.model.v2", "run.1.state"])
    def test_it_is_found(self, path: Path, state: dict[str, torch.Tensor], key: str) -> None:
        other = {"wrong": torch.zeros(1)}
        content: dict[str, Any] = {"epoch": 3, "model": other, "ema": {"model": other, "model.v2": other}}
        content["run.1"] = {"state": other}
        owner, _, last = {"model": (content, "", "model"), "run.1.state": (content["run.1"], "", "state")}.get(
            key, (content["ema"], "", key.removeprefix("ema."))
        )
        owner[last] = state
        torch.save(content, path)
        assert same(load(path, state_key=key).module, state)

    def test_wrong(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({"epoch": 3, "model": state, "ema": {"model": state}}, path)
        there = "there are 'epoch', 'model', 'ema', 'ema.model'"
        assert failure(path, at="state_key", state_key="modle") == f"has no 'modle'; {there}; did you mean 'model'?"
        expected = f"has no 'ema.modle'; {there}; did you mean 'ema.model'?"
        assert failure(path, at="state_key", state_key="ema.modle") == expected
        assert failure(path, at="state_key", state_key="zzz") == f"has no 'zzz'; {there}"

    def test_of_something_else(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({"epoch": 3, "model": state}, path)
        expected = (
            "holds no state dict under 'epoch' but an object of type int; set state_key to where one lies: 'model'"
        )
        assert failure(path, at="state_key", state_key="epoch") == expected

    def test_without_any_mapping(self, path: Path) -> None:
        torch.save([1, 2], path)
        assert failure(path, at="state_key", state_key="model") == "has no 'model'; there are no keys"

    def test_needed(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({"epoch": 3, "model": state, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}}, path)
        assert failure(path) == (
            "holds no state dict but a mapping with 'epoch' (int), 'model' (OrderedDict), 'optimizer' (dict); "
            "set state_key to where one lies: 'model'"
        )

    def test_nowhere_a_state_dict(self, path: Path) -> None:
        torch.save([torch.zeros(1)], path)
        assert failure(path) == f"holds no state dict but an object of type list; {SAVE_STATE}"
        torch.save({}, path)
        assert failure(path) == f"holds no state dict but an empty mapping; {SAVE_STATE}"


def _in_zip(content: Any, path: Path) -> None:
    torch.save(content, path)


def _in_older_format(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _in_bare_pickle(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def _in_tar(content: Any, path: Path) -> None:
    _save_tar(pickle.dumps(content, 2), path, [1])


def _in_sizes_of_tar(content: Any, path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            data = pickle.dumps(content, 2)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


SAVERS = [_in_zip, _in_older_format, _in_bare_pickle, _in_tar, _in_sizes_of_tar]


class TestNoCodeIsRun:
    @pytest.mark.parametrize("name", ["net.pt", "net.bin", "net.safetensors"])
    @pytest.mark.parametrize("save", SAVERS)
    def test_a_payload_leaves_no_trace(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[[Any, Path], None], name: str
    ) -> None:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
        path, trace = tmp_path / name, tmp_path / "trace"
        save({"weight": torch.ones(2) if save in SAVERS[:2] else 1, "payload": Payload(trace)}, path)
        for key in (None, "payload"):
            assert failure(path, Scale, state_key=key)
            assert not trace.exists()

    @pytest.mark.parametrize("save", SAVERS)
    def test_these_payloads_would(self, tmp_path: Path, save: Callable[[Any, Path], None]) -> None:
        path, trace = tmp_path / "net.pt", tmp_path / "trace"
        save(Payload(trace), path)
        assert failure(path, checkpoint_weights_only=False)
        assert trace.exists()

    @pytest.mark.parametrize("save", SAVERS[:2])
    def test_the_message(self, path: Path, save: Callable[[Any, Path], None]) -> None:
        save(Payload(path / "trace"), path)
        reason = f"holds more than tensors ({os.mkdir.__module__}.mkdir), and loading that could run code from the file"
        assert failure(path) == f"{reason}; {SAVE_STATE}, {TRUST}"

    def test_unsafe_globals_are_named(self, path: Path) -> None:
        torch.save({"state": nn.Linear(1, 1), "args": argparse.Namespace(lr=0.1)}, path)
        assert "(argparse.Namespace, torch.nn.modules.linear.Linear)" in failure(path)


class TestPickledModules:
    @ANYWHERE
    @pytest.mark.filterwarnings("ignore:Couldn't retrieve source code:UserWarning")
    def test_it_is_the_module(self, path: Path, zipped: bool) -> None:
        net = Net(3)
        for content, key in ((net, None), ({"epoch": 1, "model": net}, None), ({"best": {"ema": net}}, "best.ema")):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            loaded = load(path, Scale, checkpoint_weights_only=False, state_key=key)
            assert isinstance(loaded.module, Net)
            assert same(loaded.module, net.state_dict())

    def test_allowed_classes_do_not_make_it_so(self, path: Path) -> None:
        torch.save({"model": nn.Identity()}, path)
        with torch.serialization.safe_globals([nn.Identity, set]):
            assert failure(path).startswith("holds no state dict but a mapping with 'model' (Identity)")

    def test_a_state_dict_is_loaded_as_usual(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({"model": Net(), "args": argparse.Namespace(lr=0.1), "state": state}, path)
        assert same(load(path, checkpoint_weights_only=False, state_key="state").module, state)

    def test_its_code_is_missing(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        torch.save(Net(), path)
        monkeypatch.delattr("checkpoint_specs.Net")
        found = failure(path, Scale, checkpoint_weights_only=False)
        assert found.startswith("cannot be read: torch.load raised AttributeError: ")
        assert found.endswith("; is the code of its module on python_path?")


def test_safetensors_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "net.safetensors"
    save_file(state, path)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingExtraError) as info:
        load(path)
    install = 'pip install "pytest-torchlauncher[safetensors]"'
    assert str(info.value) == f"{PLACES['checkpoint']}: checkpoint: {path} needs safetensors: {install}"

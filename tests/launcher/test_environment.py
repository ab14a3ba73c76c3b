import hashlib
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pytest_torchlauncher.launcher import environment
from pytest_torchlauncher.launcher.environment import describe_environment, describe_model
from pytest_torchlauncher.plan import LauncherSpec

CPU = torch.device("cpu")


def _spec(*args: Any, **kwargs: Any) -> LauncherSpec:
    adapter: Any = None
    return LauncherSpec("pytorch", "nets.Net", adapter, module_args=args, module_kwargs=kwargs)


def _weights(module: nn.Module) -> str:
    return describe_model(module, _spec()).weights


def test_environment_of_the_cpu() -> None:
    found = describe_environment(CPU)
    assert found.device == "cpu"
    assert found.device_name
    assert found.torch == torch.__version__
    assert type(found.torch) is str
    assert found.torchvision == metadata.version("torchvision")
    assert found.numpy == np.__version__
    assert found.cuda == (torch.version.cuda or "")
    assert found.cpu_capability == torch.backends.cpu.get_cpu_capability()
    assert re.fullmatch(r"3\.\d+\.\d+", found.python)


def test_plugin_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert describe_environment(CPU).plugin == "0"


def test_cpu_name(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Example CPU @ 2.00GHz\nflags\t: fpu\nmodel name\t: Other\n")
    assert environment._cpu_name(cpuinfo) == "Example CPU @ 2.00GHz"
    cpuinfo.write_text("processor\t: 0\nFeatures\t: fp\n")
    expected = platform.processor() or platform.machine()
    assert environment._cpu_name(cpuinfo) == expected
    assert environment._cpu_name(tmp_path / "absent") == expected


def test_weights_hash_names_dtypes_shapes_and_bytes() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.b = nn.Parameter(torch.tensor([[1.0, 2.0]]))
            self.register_buffer("a", torch.tensor(3))

    content = b"a torch.int64 ()\n" + np.int64(3).tobytes() + b"b torch.float32 (1, 2)\n" + np.float32([1, 2]).tobytes()
    assert _weights(Two()) == hashlib.sha256(content).hexdigest()


def test_every_part_of_the_state_counts() -> None:
    def net(
        value: float = 1.0, shape: tuple[int, ...] = (2, 3), dtype: Any = torch.float32, name: str = "w"
    ) -> nn.Module:
        return nn.ParameterDict({name: nn.Parameter(torch.full(shape, value, dtype=dtype))})

    nets = [net(), net(2.0), net(shape=(3, 2)), net(dtype=torch.bfloat16), net(name="v"), nn.ReLU()]
    hashes = {_weights(module) for module in nets}
    assert len(hashes) == len(nets)
    assert _weights(net()) in hashes


def test_memory_layout_does_not_count() -> None:
    torch.manual_seed(0)
    module = nn.Conv2d(3, 4, 2)
    before = _weights(module)
    assert _weights(module.to(memory_format=torch.channels_last)) == before


def test_extra_state_does_not_hinder() -> None:
    class Extra(nn.ReLU):
        def get_extra_state(self) -> Any:
            return {"any": object()}

        def set_extra_state(self, state: Any) -> None: ...

    assert _weights(Extra()) == _weights(nn.ReLU())


def test_config_hash() -> None:
    def config(*args: Any, **kwargs: Any) -> str:
        return describe_model(nn.ReLU(), _spec(*args, **kwargs)).config

    assert config(1, a=2, b=[3]) == config(1, b=[3], a=2)
    assert len({config(), config(1), config(a=1), config(a="1"), config(b=1), config([1]), config(1, a=1)}) == 7
    assert config() == hashlib.sha256(b"[[], {}]").hexdigest()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_device_changes_the_environment_but_not_the_model() -> None:
    found = describe_environment(torch.device("cuda"))
    assert (found.device, found.device_name) == ("cuda", torch.cuda.get_device_name())
    module = nn.Conv2d(3, 4, 2)
    assert _weights(module) == _weights(module.cuda())


@pytest.mark.parametrize(
    "tensor",
    [
        torch.eye(2).to_sparse(),
        torch.tensor([1 + 2j]).conj(),
        torch.ones(3).to(torch.float8_e4m3fn),
        torch.zeros(2, device="meta"),
    ],
)
def test_weights_of_every_kind_have_a_hash(tensor: torch.Tensor) -> None:
    module = torch.nn.Module()
    module.register_buffer("odd", tensor)
    assert len(describe_model(module, _spec()).weights) == 64


def test_lazy_modules_have_a_hash() -> None:
    assert len(describe_model(torch.nn.LazyLinear(3), _spec()).weights) == 64

from pathlib import Path

import pytest
import torch

from pytest_torchlauncher.errors import MissingDeviceError, ModelError, Position
from pytest_torchlauncher.launcher.device import canonical_device, select_device

WHERE = Position(Path("net.launcher.yml"), 3, 13)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("cpu", "cpu"),
        ("CPU", "cpu"),
        ("GPU", "cuda"),
        ("Cuda", "cuda"),
        ("CUDA:1", "cuda:1"),
        ("gpu:10", "cuda:10"),
        ("mps", "mps"),
        ("XPU", "xpu"),
        ("xpu:0", "xpu:0"),
    ],
)
def test_canonical_names(name: str, canonical: str) -> None:
    assert canonical_device(name) == canonical
    assert str(torch.device(canonical)) == canonical


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("cdua", "; did you mean 'cuda'?"),
        ("CPUS", "; did you mean 'cpu'?"),
        ("cuda:-1", "; did you mean 'cuda'?"),
        ("cuda:01", "; did you mean 'cuda'?"),
        ("gpu.1", "; did you mean 'gpu'?"),
        ("myriad", "; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
        ("", "; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
    ],
)
def test_unknown_names(name: str, advice: str) -> None:
    with pytest.raises(ValueError) as plain:  # noqa: PT011
        canonical_device(name)
    assert str(plain.value) == f"unknown device {name!r}{advice}"
    with pytest.raises(ModelError) as placed:
        select_device(name, WHERE)
    assert str(placed.value) == f"{WHERE}: device: unknown device {name!r}{advice}"


def test_the_cpu_is_always_there() -> None:
    assert select_device("CPU", WHERE) == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "count", "text"),
    [
        ("cuda", 0, "device 'cuda' is not on this machine (it has no cuda device)"),
        ("GPU:1", 1, "device 'cuda:1' is not on this machine (it has cuda:0)"),
        ("cuda:2", 2, "device 'cuda:2' is not on this machine (it has cuda:0, cuda:1)"),
    ],
)
def test_absent_cuda_device(monkeypatch: pytest.MonkeyPatch, name: str, count: int, text: str) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(MissingDeviceError) as info:
        select_device(name, WHERE)
    assert str(info.value) == f"{WHERE}: {text}"


@pytest.mark.parametrize("kind", ["mps", "xpu"])
def test_other_devices(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for there in (True, False):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=there: there)
        monkeypatch.setattr(torch.xpu, "device_count", lambda there=there: int(there))
        if there:
            assert select_device(kind, WHERE) == torch.device(kind)
        else:
            with pytest.raises(MissingDeviceError, match=f"it has no {kind} device"):
                select_device(kind, WHERE)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_device() -> None:
    assert select_device("GPU", WHERE) == torch.device("cuda")
    assert select_device("cuda:0", WHERE) == torch.device("cuda:0")
    with pytest.raises(MissingDeviceError, match="'cuda:99' is not on this machine"):
        select_device("cuda:99", WHERE)

import gc
import re
import sys
import textwrap
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.errors import MissingDeviceError, ModelError, NonFiniteError, OutputError, Position
from pytest_torchlauncher.launcher.launcher import launch
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.plan import LauncherSpec
from pytest_torchlauncher.types import Batch, Label, Sample

KEYS = ("module", "device", "checkpoint", "python_path", "output_names")
WHERE = Where(keys={key: Position(Path("nets.launcher.yml"), line, 9) for line, key in enumerate(KEYS, 3)})

NETS = """
    import random

    import torch

    torch.backends.cudnn.benchmark = True


    class Mean(torch.nn.Module):
        '''The mean of each channel, times a weight a channel.'''

        def __init__(self, channels=3):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.rand(channels))
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, image):
            assert not torch.is_grad_enabled()
            return self.dropout(image.mean((2, 3)) * self.weight)


    class Sum(torch.nn.Module):
        def forward(self, a, b=None, *, scale=1):
            import late_import
            return {"sum": (a if b is None else a + b) * scale * late_import.ONE, "first": a}


    class Noise(torch.nn.Module):
        def forward(self, x):
            return x + torch.rand(()) + random.random()


    class Fails(torch.nn.Module):
        def forward(self, *args, **kwargs):
            raise RuntimeError("sizes do not match\\nsecond line")


    class Log(torch.nn.Module):
        def forward(self, x):
            return x.log(), x


    class Text(torch.nn.Module):
        def forward(self, x):
            return "text"


    class Stuck(torch.nn.Module):
        def to(self, *args):
            raise RuntimeError("cannot move")
"""


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., LauncherSpec]:
    (tmp_path / "launched_nets.py").write_text(textwrap.dedent(NETS))
    (tmp_path / "late_import.py").write_text("ONE = 1")

    def make(name: str = "Mean", **keys: Any) -> LauncherSpec:
        keys = {"adapter": None, "python_path": (tmp_path,), "where": WHERE, **keys}
        return LauncherSpec("pytorch", f"launched_nets.{name}", **keys)

    return make


Make = Callable[..., LauncherSpec]


def _batch(data: Any) -> Batch:
    return Batch(tuple(Sample(f"{index:03}.png", data[index], Label(0)) for index in range(len(data))), data)


def test_predict(spec: Make, tmp_path: Path) -> None:
    weight = torch.tensor([1.0, 2.0, 4.0])
    torch.save({"weight": weight}, tmp_path / "mean.pt")
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), np.uint8)
    with launch(spec(checkpoint=tmp_path / "mean.pt")) as launcher:
        outputs = launcher.predict(_batch(images))
        assert launcher.device == torch.device("cpu")
        assert launcher.environment.device == "cpu"
        assert re.fullmatch("[0-9a-f]{64}", launcher.model.weights)
    assert list(outputs) == ["output"]
    np.testing.assert_allclose(outputs["output"], images.mean((1, 2)) * weight.numpy(), rtol=1e-5)


def test_results_do_not_depend_on_the_batch(spec: Make) -> None:
    images = np.random.default_rng(0).random((4, 5, 6, 3), dtype=np.float32)
    with launch(spec()) as launcher:
        whole = launcher.predict(_batch(images))["output"]
        parts = [launcher.predict(_batch(images[i : i + 3]))["output"] for i in (0, 3)]
    assert whole.shape == (4, 3)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-6)


def test_two_launches_give_the_same_numbers(spec: Make) -> None:
    def numbers() -> tuple[str, float]:
        with launch(spec()) as launcher:
            weights = launcher.model.weights
        with launch(spec("Noise")) as launcher:
            return weights, launcher.forward(torch.zeros(1))["output"].item()

    assert numbers() == numbers()


def test_random_numbers_of_the_run_do_not_depend_on_the_build(spec: Make) -> None:
    found = []
    for channels in (3, 30):
        with launch(spec(module_kwargs={"channels": channels})):
            found.append(torch.rand(1).item())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (torch.tensor([1.0]), 1),
        (np.array([1, 2]), [1, 2]),
        ((torch.tensor([1.0]), np.array([2])), 3),
        ({"a": torch.tensor([1.0]), "b": np.array([2]), "scale": 10}, 30),
    ],
)
def test_forms_of_inputs(spec: Make, inputs: Any, expected: Any) -> None:
    with launch(spec("Sum")) as launcher:
        outputs = launcher.forward(inputs)
    assert list(outputs) == ["sum", "first"]
    np.testing.assert_array_equal(outputs["sum"].numpy(), np.float32(np.atleast_1d(expected)))


def test_output_names(spec: Make) -> None:
    with launch(spec("Log", output_names=("log", "same"))) as launcher:
        assert list(launcher.predict(_batch(np.ones((2, 3))))) == ["log", "same"]


def test_settings_of_the_project_do_not_last(spec: Make) -> None:
    before = torch.backends.cudnn.benchmark
    with launch(spec()):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.benchmark is False
    assert torch.backends.cudnn.benchmark is before
    assert not torch.are_deterministic_algorithms_enabled()


def test_nothing_is_left_behind(spec: Make) -> None:
    path, modules = list(sys.path), set(sys.modules)
    with launch(spec("Sum")) as launcher:
        launcher.forward(torch.zeros(1))
        module = weakref.ref(launcher._module)
        assert "late_import" in sys.modules
    assert (sys.path, set(sys.modules)) == (path, modules)
    gc.collect()
    assert module() is None
    with pytest.raises(ModelError) as info:
        launcher.forward(torch.zeros(1))
    message = "module: launched_nets.Sum was released when its launcher ended"
    assert str(info.value) == f"{WHERE['module']}: {message}"


@pytest.mark.parametrize(
    "keys", [{"module_kwargs": {"wrong": 1}}, {"checkpoint": Path("absent.pt")}, {"device": "tpu"}]
)
def test_nothing_is_left_behind_by_a_failure(spec: Make, keys: Any) -> None:
    path, modules = list(sys.path), set(sys.modules)
    with pytest.raises(ModelError), launch(spec(**keys)):
        pass
    assert (sys.path, set(sys.modules)) == (path, modules)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ("inputs", "described"),
    [
        (np.zeros((4, 8, 8, 3)), "input (4, 3, 8, 8) float32"),
        ((torch.zeros(2), torch.zeros(1, dtype=torch.int64), None), "inputs (2,) float32, (1,) int64, NoneType"),
        ({"x": torch.zeros(2, 3)}, "input x (2, 3) float32"),
    ],
)
def test_exception_of_forward(spec: Make, inputs: Any, described: str) -> None:
    with launch(spec("Fails")) as launcher, pytest.raises(ModelError) as info:
        launcher.forward(inputs)
    message = f"module: forward of launched_nets.Fails raised RuntimeError: sizes do not match ({described})"
    assert str(info.value) == f"{WHERE['module']}: {message}"
    assert isinstance(info.value.__cause__, RuntimeError)


def test_outputs_that_are_not_there(spec: Make) -> None:
    with launch(spec("Log", output_names=("a", "b", "c"))) as launcher, pytest.raises(OutputError) as info:
        launcher.forward(torch.ones(1))
    found = "there is no output for 'c'; the module returned a (1,) float32, b (1,) float32"
    assert str(info.value) == f"{WHERE['output_names']}: outputs of launched_nets.Log: {found}"


def test_outputs_that_are_no_tensors(spec: Make) -> None:
    with launch(spec("Text")) as launcher, pytest.raises(OutputError) as info:
        launcher.forward(torch.ones(1))
    found = "outputs of launched_nets.Text: 'output' is of type str; a tensor expected"
    assert str(info.value) == f"{WHERE['module']}: {found}"


@pytest.mark.parametrize(("value", "kind"), [(0, "infinity"), (-1, "NaN")])
def test_outputs_that_are_not_finite(spec: Make, value: float, kind: str) -> None:
    data = np.ones((3, 2), np.float32)
    data[1, 1] = value
    with launch(spec("Log")) as launcher, pytest.raises(NonFiniteError) as info:
        launcher.predict(_batch(data))
    found = f"launched_nets.Log: output 'output_0' has {kind} from 001.png on"
    assert str(info.value) == f"{WHERE['module']}: {found}"
    assert (info.value.kind, info.value.identifier) == (kind, "001.png")


def test_module_that_cannot_be_moved(spec: Make) -> None:
    with pytest.raises(ModelError) as info, launch(spec("Stuck")):
        pass
    message = "module: placing launched_nets.Stuck on cpu raised RuntimeError: cannot move"
    assert str(info.value) == f"{WHERE['module']}: {message}"


def test_absent_device(spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(MissingDeviceError) as info, launch(spec(device="cuda")):
        pass
    message = "device 'cuda' is not on this machine (it has no cuda device)"
    assert str(info.value) == f"{WHERE['device']}: {message}"


def test_torchvision_model() -> None:
    adapter: Any = None
    spec = LauncherSpec("pytorch", "torchvision.models.squeezenet1_1", adapter, module_kwargs={"num_classes": 3})
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    with launch(spec) as launcher:
        assert launcher.predict(_batch(images))["output"].shape == (2, 3)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_numbers_of_the_cpu(spec: Make) -> None:
    images = np.random.default_rng(0).random((4, 5, 6, 3), dtype=np.float32)
    found = {}
    for device in ("cpu", "GPU"):
        with launch(spec(device=device)) as launcher:
            assert launcher.forward(images)["output"].device.type == launcher.device.type
            found[device] = launcher.model, launcher.predict(_batch(images))["output"]
    assert found["cpu"][0] == found["GPU"][0]
    np.testing.assert_allclose(found["cpu"][1], found["GPU"][1], rtol=1e-5)

import gc
import re
import sys
import textwrap
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.errors import DataError, MissingDeviceError, ModelError, NonFiniteError, OutputError, Position
from pytest_torchlauncher.input_spec import InputSpec
from pytest_torchlauncher.launcher.launcher import launch
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec
from pytest_torchlauncher.types import Batch, Label, Sample

KEYS = ("module", "device", "checkpoint", "python_path", "output_names", "inputs", "torch_compile_kwargs", "batch")
WHERE = Where(keys={key: Position(Path("nets.launcher.yml"), line, 9) for line, key in enumerate(KEYS, 3)})

NETS = '''
    import random
    import sys

    import torch

    torch.backends.cudnn.benchmark = True


    class Bossy(torch.nn.Module):
        """Sets for all what it wants for itself."""

        def __init__(self):
            super().__init__()
            sys.path.append("/nowhere")
            torch.set_default_dtype(torch.float64)
            torch.set_grad_enabled(False)
            torch.set_default_device("meta")


    class Mean(torch.nn.Module):
        """The mean of each channel, times a weight a channel."""

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


    class Small(torch.nn.Module):
        """Takes at most `room` samples at once, as a device that is short of memory."""

        def __init__(self, room):
            super().__init__()
            self.room, self.calls = room, []

        def forward(self, x):
            self.calls.append(len(x))
            if len(x) > self.room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return {"sum": x.sum(1), "anchors": torch.arange(7.0)}


    class Convolution(torch.nn.Module):
        def __init__(self, flatten="flatten"):
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 4, 3)
            self.flatten = flatten
            self.formats = []

        def forward(self, image):
            self.formats.append((image.is_contiguous(), image.is_contiguous(memory_format=torch.channels_last)))
            x = self.layer(image)
            return x.view(len(x), -1) if self.flatten == "view" else x.flatten(1)


    class Types(torch.nn.Module):
        """Returns what its inputs and its product are made of."""

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def forward(self, x):
            y = self.layer(x)
            self.seen = x.dtype, self.layer.weight.dtype, y.dtype
            return y


    class Recurrent(torch.nn.Module):
        def forward(self, x, hidden):
            hidden = hidden * 0.5 + x
            return {"out": hidden * 2, "hidden": hidden}


    class Stages(torch.nn.Module):
        def forward(self, x):
            return [{"logits": x}, {"logits": x * 0}, {"logits": x * 0}]


    class Rows(torch.nn.Module):
        def forward(self, x):
            return list(x)


    class Fickle(torch.nn.Module):
        def forward(self, x):
            return [x[0], x[1]]


    class SmallSum(torch.nn.Module):
        def forward(self, x, c):
            if len(x) > 1:
                raise torch.OutOfMemoryError("no room")
            return x + c


    class Reuses(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.memory = torch.zeros(2, 5)

        def forward(self, x):
            if len(x) > 2:
                raise torch.OutOfMemoryError("no room")
            return self.memory[: len(x)].copy_(x)


    class Detector(torch.nn.Module):
        def forward(self, images: list[torch.Tensor]):
            return [{"boxes": image.flatten(1).T[: image.shape[-1]], "score": image.mean()[None]} for image in images]
'''


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., LauncherSpec]:
    (tmp_path / "launched_nets.py").write_text(textwrap.dedent(NETS))
    (tmp_path / "late_import.py").write_text("ONE = 1")

    def make(name: str = "Mean", module: str = "", **keys: Any) -> LauncherSpec:
        keys = {"adapter": None, "python_path": (tmp_path,), "where": WHERE, **keys}
        return LauncherSpec("pytorch", ModuleName(module or f"launched_nets.{name}"), **keys)

    return make


Make = Callable[..., LauncherSpec]


def _batch(data: Any) -> Batch:
    return Batch(tuple(Sample(f"{index:03}.png", data[index], Label(0)) for index in range(len(data))))


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


def test_what_a_module_sets_for_all_of_torch_does_not_last(spec: Make) -> None:
    path = list(sys.path)
    with launch(spec("Bossy")):
        assert torch.get_default_dtype() == torch.float64
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert torch.zeros(1).device.type == "cpu"
    assert sys.path == path


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
    module = ModuleName("torchvision.models.squeezenet1_1")
    spec = LauncherSpec("pytorch", module, adapter, module_kwargs={"num_classes": 3})
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    with launch(spec) as launcher:
        assert launcher.predict(_batch(images))["output"].shape == (2, 3)


@pytest.mark.parametrize(
    ("room", "sizes", "effective"), [(8, [8, 3], 8), (3, [8, 4, 2, 2, 2, 2, 2, 1], 2), (1, [8, 4, 2] + [1] * 11, 1)]
)
def test_what_does_not_fit_in_memory_is_run_in_halves(spec: Make, room: int, sizes: list[int], effective: int) -> None:
    data = np.random.default_rng(0).random((11, 5)).astype(np.float32)
    with launch(spec("Small", module_args=(room,))) as launcher:
        outputs = [launcher.predict(_batch(part)) for part in (data[:8], data[8:])]
        calls = launcher._module._module.calls
        run = launcher.provenance(8)
    np.testing.assert_allclose(np.concatenate([part["sum"] for part in outputs]), data.sum(1), rtol=1e-6)
    assert [part["anchors"].tolist() for part in outputs] == [list(range(7))] * 2
    assert calls == sizes
    assert (run.batch, run.batch_effective) == (8, effective)


def test_one_sample_that_does_not_fit_in_memory(spec: Make) -> None:
    with launch(spec("Small", module_args=(0,))) as launcher, pytest.raises(ModelError) as info:
        launcher.predict(_batch(np.zeros((2, 5))))
    found = "raised OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB (input (1, 5) float32)"
    assert str(info.value) == f"{WHERE['module']}: module: forward of launched_nets.Small {found}"


IMAGES = np.random.default_rng(0).random((4, 6, 7, 3), dtype=np.float32)


def _plain(spec: LauncherSpec) -> np.ndarray:
    with launch(replace(spec, channels_last=False)) as launcher:
        return launcher.predict(_batch(IMAGES)).select()


@pytest.mark.parametrize(
    ("keys", "module_args", "formats", "recorded"),
    [
        ({}, (), [(False, True)], True),
        ({"channels_last": True}, (), [(False, True)], True),
        ({"channels_last": False}, (), [(True, False)], False),
        ({}, ("view",), [(False, True), (True, False)], False),
        ({"channels_last": False}, ("view",), [(True, False)], False),
    ],
)
def test_memory_format(spec: Make, keys: Any, module_args: Any, formats: Any, recorded: bool) -> None:
    wanted = spec("Convolution", module_args=module_args, **keys)
    with launch(wanted) as launcher:
        found = launcher.predict(_batch(IMAGES)).select()
        assert launcher._module._module.formats == formats
        np.testing.assert_allclose(launcher.forward(IMAGES)["output"].numpy(), found, atol=1e-6)
        assert launcher.provenance(4).channels_last is recorded
    np.testing.assert_allclose(found, _plain(wanted), atol=1e-6)


@pytest.mark.parametrize("inputs", [IMAGES, torch.from_numpy(IMAGES).permute(0, 3, 1, 2).contiguous()])
def test_inputs_as_they_stand_leave_channels_last_too(spec: Make, inputs: Any) -> None:
    wanted = spec("Convolution", module_args=("view",))
    with launch(wanted) as launcher:
        found = launcher.forward(inputs)["output"].numpy()
        assert launcher.provenance(4).channels_last is False
    np.testing.assert_allclose(found, _plain(wanted), atol=1e-6)


def test_channels_last_is_kept_where_it_is_asked_for(spec: Make) -> None:
    wanted = spec("Convolution", module_args=("view",), channels_last=True)
    with launch(wanted) as launcher, pytest.raises(ModelError, match="view size is not compatible"):
        launcher.predict(_batch(IMAGES))


def test_modules_without_convolutions_stay_in_plain_memory(spec: Make) -> None:
    with launch(spec()) as launcher:
        launcher.predict(_batch(IMAGES))
        assert launcher.provenance(4).channels_last is False


@pytest.mark.parametrize(
    ("precision", "fed", "weights", "product"),
    [
        (None, "float32", "float32", "float32"),
        ("fp32", "float32", "float32", "float32"),
        ("fp16", "float16", "float16", "float16"),
        ("bf16", "bfloat16", "bfloat16", "bfloat16"),
        ("amp_bf16", "float32", "float32", "bfloat16"),
        ("amp_fp16", "float32", "float32", "float16"),
    ],
)
def test_precision(spec: Make, precision: str | None, fed: str, weights: str, product: str) -> None:
    data = np.random.default_rng(0).random((4, 3))
    with launch(spec("Types", precision=precision)) as launcher:
        found = launcher.predict(_batch(data))["output"]
        assert launcher._module._module.seen == tuple(getattr(torch, name) for name in (fed, weights, product))
        assert launcher.provenance(4).precision == (precision or "fp32")
        hashed = launcher.model
    assert found.dtype == np.float32
    with launch(spec("Types")) as launcher:
        np.testing.assert_allclose(found, launcher.predict(_batch(data))["output"], atol=0.02)
        assert launcher.model == hashed


def test_double_precision_of_the_module_is_its_own(spec: Make, tmp_path: Path) -> None:
    (tmp_path / "double_nets.py").write_text(
        "from launched_nets import *\ndef double():\n    return Types().double()\n"
    )
    with launch(spec(module="double_nets.double")) as launcher:
        assert launcher.predict(_batch(np.ones((1, 3))))["output"].dtype == np.float64
        assert launcher.provenance(1).precision == "fp64"
    with launch(spec(module="double_nets.double", precision="fp32")) as launcher:
        assert launcher.predict(_batch(np.ones((1, 3))))["output"].dtype == np.float32


@pytest.mark.parametrize("module_args", [(), ("view",)])
def test_torch_compile(spec: Make, module_args: Any) -> None:
    keys = {"use_torch_compile": True, "torch_compile_kwargs": {"backend": "eager"}}
    with launch(spec("Convolution", module_args=module_args, **keys)) as launcher:
        compiled = launcher.predict(_batch(IMAGES)).select()
        assert launcher.provenance(4).compile is True
    np.testing.assert_allclose(compiled, _plain(spec("Convolution")), atol=1e-6)


def test_unknown_arguments_of_torch_compile(spec: Make) -> None:
    keys = {"use_torch_compile": True, "torch_compile_kwargs": {"backen": "eager"}}
    with pytest.raises(ModelError) as info, launch(spec(**keys)):
        pass
    start = f"{WHERE['torch_compile_kwargs']}: torch_compile_kwargs: torch.compile raised TypeError: "
    assert str(info.value).startswith(start)
    assert "backen" in str(info.value)


def test_state_is_carried_through_a_sequence_and_zero_at_the_next(spec: Make) -> None:
    inputs = (InputSpec("x", "INPUT"), InputSpec("hidden", "LSTM_INPUT", value="hidden", shape=(2,)))
    data = np.random.default_rng(0).random((2, 3, 2)).astype(np.float32)
    samples = tuple(Sample(str(i), tuple(steps), Label(0)) for i, steps in enumerate(data))
    with launch(spec("Recurrent", inputs=inputs)) as launcher:
        found = [launcher.predict(Batch((sample,))) for sample in samples]
        lone = launcher.predict(Batch((Sample("lone", data[0, 0], Label(0)),)))
    for outputs, steps in zip(found, data, strict=True):
        hidden = np.zeros(2, np.float32)
        for step, out in zip(steps, outputs["out"][0], strict=True):
            hidden = hidden * np.float32(0.5) + step
            np.testing.assert_allclose(out, hidden * 2, rtol=1e-6)
    np.testing.assert_allclose(lone["hidden"], data[:1, 0])


def test_state_of_an_output_that_is_not_there(spec: Make) -> None:
    where = Where(keys={"value": Position(Path("nets.launcher.yml"), 20, 3)})
    state = InputSpec("hidden", "LSTM_INPUT", value="cell", shape=(2,), where=where)
    wanted = spec("Recurrent", inputs=(InputSpec("x", "INPUT"), state))
    with launch(wanted) as launcher, pytest.raises(OutputError) as info:
        launcher.predict(_batch(np.zeros((1, 2))))
    message = "inputs: hidden: no output is called 'cell'; there are out, hidden"
    assert str(info.value) == f"nets.launcher.yml:20:3: {message}"


def test_detection_models_take_and_give_lists(spec: Make) -> None:
    rng = np.random.default_rng(0)
    images = [rng.random((4, width, 3)).astype(np.float32) for width in (3, 5)]
    batch = Batch(tuple(Sample(f"{i}.png", image, Label(0)) for i, image in enumerate(images)))
    with launch(spec("Detector")) as launcher:
        outputs = launcher.predict(batch)
        alone = [launcher.predict(Batch((sample,))) for sample in batch.samples]
        direct = launcher.forward([torch.from_numpy(image).permute(2, 0, 1) for image in images])
    assert [boxes.shape for boxes in outputs.by_sample("boxes")] == [(3, 3), (5, 3)]
    np.testing.assert_allclose(outputs.select("score")[:, 0], [image.mean() for image in images], rtol=1e-5)
    assert [boxes.shape for boxes in direct["boxes"]] == [(3, 3), (5, 3)]
    for index, one in enumerate(alone):
        np.testing.assert_array_equal(one["boxes"][0], outputs["boxes"][index])


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 7])
def test_lists_mean_the_same_whatever_the_batch(spec: Make, batch: int) -> None:
    """Three stages in a list are three outputs, also where a batch has three samples, or the last one has."""
    data = np.random.default_rng(0).random((7, 5)).astype(np.float32)
    with launch(spec("Stages")) as launcher:
        parts = [launcher.predict(_batch(data[i : i + batch])).select("output_0") for i in range(0, 7, batch)]
    np.testing.assert_array_equal(np.concatenate(parts), data)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_lists_of_rows(spec: Make, batch: int) -> None:
    data = np.random.default_rng(0).random((6, 5)).astype(np.float32)
    with launch(spec("Rows")) as launcher:
        parts = [launcher.predict(_batch(data[i : i + batch])).select() for i in range(0, 6, batch)]
    np.testing.assert_array_equal(np.concatenate(parts), data)


def test_lists_that_change_their_meaning(spec: Make) -> None:
    with launch(spec("Fickle")) as launcher:
        launcher.predict(_batch(np.ones((2, 5), np.float32)))
        with pytest.raises(OutputError) as info:
            launcher.predict(_batch(np.ones((3, 5), np.float32)))
    message = "a list of 2 for 3 samples, after lists with an entry a sample; the same expected"
    assert str(info.value) == f"{WHERE['module']}: outputs of launched_nets.Fickle: {message}"


def test_constants_with_an_axis_of_the_batch_cannot_be_halved(spec: Make) -> None:
    inputs = (InputSpec("x", "INPUT"), InputSpec("c", "CONST_INPUT", value=[[float(i)] for i in range(4)]))
    with launch(spec("SmallSum", inputs=inputs)) as launcher, pytest.raises(OutputError) as info:
        launcher.predict(_batch(np.arange(20, dtype=np.float32).reshape(4, 5)))
    found = "output (4, 5) is of a batch as a whole, which does not fit in memory; set batch: 1, or feed constants with"
    assert str(info.value) == f"{WHERE['batch']}: outputs of launched_nets.SmallSum: {found} per_sample"


def test_memory_that_the_module_uses_again(spec: Make) -> None:
    data = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    with launch(spec("Reuses")) as launcher:
        np.testing.assert_array_equal(launcher.predict(_batch(data)).select(), data)
        assert launcher.provenance(4).batch_effective == 2


def test_torchvision_detection_model() -> None:
    adapter: Any = None
    keys = {"weights": None, "weights_backbone": None, "num_classes": 3, "score_thresh": 0.0, "detections_per_img": 5}
    module = ModuleName("torchvision.models.detection.ssdlite320_mobilenet_v3_large")
    spec = LauncherSpec("pytorch", module, adapter, module_kwargs=keys, output_names=("scores",))
    rng = np.random.default_rng(0)
    images = [rng.random((40, width, 3), dtype=np.float32) for width in (50, 60)]
    samples = tuple(Sample(f"{i}.png", image, Label(0)) for i, image in enumerate(images))
    with launch(spec) as launcher:
        together = launcher.predict(Batch(samples))
        alone = launcher.predict(Batch(samples[1:]))
    assert next(iter(together)) == "scores"
    assert [boxes.shape for boxes in together.by_sample("boxes")] == [(5, 4), (5, 4)]
    np.testing.assert_allclose(together["boxes"][1], alone["boxes"][0], rtol=1e-4)


def test_data_that_no_tensor_can_hold(spec: Make) -> None:
    words = np.array([["a"], ["b"]], dtype=object)
    with launch(spec()) as launcher, pytest.raises(DataError) as info:
        launcher.predict(_batch(words))
    assert str(info.value).startswith(f"{WHERE['inputs']}: inputs: raised TypeError: can't convert np.ndarray")


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.cuda
@cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "amp_fp16", "amp_bf16"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_precisions_and_formats_on_cuda(spec: Make, precision: str, channels_last: bool) -> None:
    found = []
    for device, keys in (("cpu", {}), ("cuda", {"precision": precision, "channels_last": channels_last})):
        with launch(spec("Convolution", device=device, **keys)) as launcher:
            found.append(launcher.predict(_batch(IMAGES)).select())
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 if precision == "fp32" else 0.05)


@pytest.mark.cuda
@cuda
def test_memory_that_is_really_short_on_cuda(spec: Make) -> None:
    free, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(min(1.0, (total - free + 2**26) / total))
    try:
        with launch(spec("Convolution", device="cuda")) as launcher:
            images = np.ones((256, 64, 64, 3), np.float32)
            assert launcher.predict(_batch(images)).select().shape == (256, 4 * 62 * 62)
            assert launcher.provenance(256).batch_effective < 256
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.mark.cuda
@cuda
def test_cuda_gives_the_numbers_of_the_cpu(spec: Make) -> None:
    images = np.random.default_rng(0).random((4, 5, 6, 3), dtype=np.float32)
    found = {}
    for device in ("cpu", "GPU"):
        with launch(spec(device=device)) as launcher:
            assert launcher.forward(images)["output"].device.type == launcher.device.type
            found[device] = launcher.model, launcher.predict(_batch(images))["output"]
    assert found["cpu"][0] == found["GPU"][0]
    np.testing.assert_allclose(found["cpu"][1], found["GPU"][1], rtol=1e-5)

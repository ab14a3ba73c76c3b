"""What is loaded leanly is what is loaded plainly, bit by bit; where it could be another, it is loaded plainly."""

import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_specs import PLACES, Net, spec_of
from safetensors.torch import save_file
from torch import nn
from torchvision.models import (
    SwinTransformer,
    VisionTransformer,
    densenet121,
    mobilenet_v3_small,
    regnet_y_400mf,
    resnet18,
    squeezenet1_1,
)
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn
from torchvision.models.optical_flow import raft_small

from pytest_torchlauncher.errors import ModelError
from pytest_torchlauncher.launcher.importing import importable
from pytest_torchlauncher.launcher.lean import build_with
from pytest_torchlauncher.launcher.loading import Loaded, load_module
from pytest_torchlauncher.launcher.reproducible import reproducible
from pytest_torchlauncher.paths import ModuleName


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


def _loaded(path: Path, module: Any, *, lean: bool = True, **keys: Any) -> Loaded:
    with reproducible():
        return load_module(spec_of(path, module, **keys), lean=lean)


def _kept(module: nn.Module) -> dict[str, Any]:
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return {name: (type(t), t.dtype, t.stride(), t.requires_grad, t.device) for name, t in tensors.items()}


def _compared(path: Path, module: Any, *inputs: Any, **keys: Any) -> Loaded:
    """Load both ways, compare everything, and return what came of the lean one."""
    lean, plain = _loaded(path, module, **keys), _loaded(path, module, lean=False, **keys)
    assert not plain.lean
    assert _kept(lean.module) == _kept(plain.module)
    tensors = lean.module.state_dict(), plain.module.state_dict()
    torch.testing.assert_close(*tensors, rtol=0, atol=0)
    with torch.inference_mode():
        outputs = [loaded.module.eval()(*inputs) for loaded in (lean, plain)]
    torch.testing.assert_close(*outputs, rtol=0, atol=0, equal_nan=True)
    return lean


def _save(path: Path, module: Any, **kwargs: Any) -> None:
    torch.manual_seed(42)
    torch.save(module(**kwargs).state_dict(), path)


TINY = {"num_heads": 2, "num_classes": 5}
VIT = {**TINY, "image_size": 16, "patch_size": 8, "num_layers": 2, "hidden_dim": 16, "mlp_dim": 32}
SWIN = {"patch_size": [4, 4], "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": [4, 4]}
DETECTION = {"weights": None, "weights_backbone": None, "box_score_thresh": 0.0, "num_classes": 3}


@pytest.mark.parametrize(
    ("builder", "kwargs", "size", "lean"),
    [
        (resnet18, {}, 33, True),
        (mobilenet_v3_small, {}, 32, True),
        (densenet121, {"num_classes": 5}, 32, True),
        (squeezenet1_1, {}, 32, True),
        (VisionTransformer, VIT, 16, True),
        (SwinTransformer, SWIN, 32, True),
        (regnet_y_400mf, {}, 32, False),
    ],
)
def test_classifiers_of_torchvision(path: Path, builder: Any, kwargs: Any, size: int, lean: bool) -> None:
    _save(path, builder, **kwargs)
    image = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    assert _compared(path, builder, image, module_kwargs=kwargs).lean == lean


def test_detector_of_torchvision(path: Path) -> None:
    _save(path, fasterrcnn_mobilenet_v3_large_320_fpn, **DETECTION)
    image = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(1))
    loaded = _compared(path, fasterrcnn_mobilenet_v3_large_320_fpn, [image], module_kwargs=DETECTION)
    assert loaded.lean
    assert len(loaded.module([image])[0]["boxes"])


def test_optical_flow_of_torchvision(path: Path) -> None:
    _save(path, raft_small)
    frames = torch.rand(2, 1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    assert not _compared(path, raft_small, *frames, 1).lean


class Trap(nn.Linear):
    """A layer to which a test adds what meta could spoil."""

    def __init__(self) -> None:
        super().__init__(3, 3)
        self.extra: Any = None
        self.spring()

    def spring(self) -> None: ...

    def forward(self, image: torch.Tensor) -> Any:
        return super().forward(image) + self.added()

    def added(self) -> Any:
        return 0 if self.extra is None else self.extra


class PlainTensor(Trap):
    def spring(self) -> None:
        self.extra = torch.arange(3.0)


class Nested(Trap):
    def spring(self) -> None:
        self.extra = {"levels": [(1, {"steps": torch.arange(3.0)})]}

    def added(self) -> Any:
        return self.extra["levels"][0][1]["steps"]


@dataclass
class Grid:
    steps: torch.Tensor = field(default_factory=lambda: torch.arange(3.0))


class InDataclass(Trap):
    def spring(self) -> None:
        self.extra = [Grid()]

    def added(self) -> Any:
        return self.extra[0].steps


class Slotted:
    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = torch.arange(3.0)


class InSlots(Trap):
    def spring(self) -> None:
        self.extra = Slotted()

    def added(self) -> Any:
        return self.extra.steps


class InClosure(Trap):
    def spring(self) -> None:
        steps = torch.arange(3.0)
        self.extra = lambda: steps

    def added(self) -> Any:
        return self.extra()


class InPartial(Trap):
    def spring(self) -> None:
        self.extra = partial(torch.neg, torch.arange(3.0))

    def added(self) -> Any:
        return self.extra()


class OnTheClass(Trap):
    shared: Any = None

    def spring(self) -> None:
        type(self).shared = torch.arange(3.0)

    def added(self) -> Any:
        return self.shared


class NonPersistent(Trap):
    def spring(self) -> None:
        self.register_buffer("steps", torch.arange(3.0), persistent=False)

    def added(self) -> Any:
        return self.steps


class FromValue(Trap):
    def spring(self) -> None:
        self.extra = torch.linspace(0, 1, 3).sum().item()


class FromInitialWeight(Trap):
    def spring(self) -> None:
        self.extra = float(self.weight.detach().abs().max())


class ViewOfWeight(Trap):
    def spring(self) -> None:
        self.extra = self.weight.detach()[0]


class ListOfParameters(Trap):
    def spring(self) -> None:
        self.extra = [self.bias]

    def added(self) -> Any:
        return self.extra[0]


class Tied(Trap):
    def spring(self) -> None:
        self.other = nn.Linear(3, 3)
        self.other.weight = self.weight

    def added(self) -> Any:
        return self.other.weight[0]


class TiedMemory(Trap):
    def spring(self) -> None:
        self.other = nn.Parameter(self.weight.data)

    def added(self) -> Any:
        return self.other[0]


class RandomOffMeta(Trap):
    def spring(self) -> None:
        self.register_buffer("noise", torch.rand(3, device="cpu"), persistent=False)

    def added(self) -> Any:
        return self.noise


class CopiedInPlace(Trap):
    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        for name, own in self.named_parameters(recurse=False):
            own.data.copy_(2 * state_dict[f"{prefix}{name}"])


class ItsDevice(Trap):
    def spring(self) -> None:
        self.extra = self.weight.device

    def added(self) -> Any:
        return torch.ones(3, device=self.extra)


class OwnParameter(nn.Parameter):
    pass


class OfAnotherType(Trap):
    def spring(self) -> None:
        self.weight = OwnParameter(torch.zeros(3, 3))

    def added(self) -> Any:
        return float(type(self.weight) is OwnParameter)


class Marked(Trap):
    def spring(self) -> None:
        self.weight.scale = 3.0  # type: ignore[attr-defined]

    def added(self) -> Any:
        return getattr(self.weight, "scale", 1.0)


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps = torch.arange(3.0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * self.steps


class Scripted(Trap):
    def spring(self) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
            self.other = torch.jit.freeze(torch.jit.script(Steps().eval()))

    def added(self) -> Any:
        return self.other(torch.ones(3))


class Numbers(Trap):
    """Draws from generators that meta leaves alone, and then computes with values."""

    def spring(self) -> None:
        self.extra = random.random() + np.random.rand() + torch.rand(1).item()


FALLS_BACK = [
    *(PlainTensor, Nested, InDataclass, InSlots, InClosure, InPartial, OnTheClass, NonPersistent, FromValue),
    *(FromInitialWeight, ViewOfWeight, ListOfParameters, Tied, TiedMemory, RandomOffMeta, CopiedInPlace, ItsDevice),
    *(OfAnotherType, Marked, Scripted, Numbers),
]


@pytest.mark.parametrize("trap", FALLS_BACK)
def test_falls_back_to_plain_loading(path: Path, trap: type[nn.Module]) -> None:
    _save(path, trap)
    assert not _compared(path, trap, torch.rand(2, 3)).lean


@cache
def remembered() -> nn.Module:
    return NonPersistent()


def test_a_factory_that_remembers_its_module(path: Path) -> None:
    _save(path, NonPersistent)
    spec = spec_of(path, remembered)
    module = load_module(spec).module
    assert module is load_module(spec).module
    assert not module(torch.rand(2, 3)).is_meta


class NumpyBuffer(Trap):
    def spring(self) -> None:
        self.register_buffer("kept", torch.from_numpy(np.arange(3.0)))
        self.register_buffer("steps", torch.from_numpy(np.arange(3.0)), persistent=False)

    def added(self) -> Any:
        return self.steps + self.kept


class SeededBuffer(Trap):
    def spring(self) -> None:
        self.register_buffer("noise", torch.rand(3, generator=torch.Generator().manual_seed(3)))

    def added(self) -> Any:
        return self.noise


class OtherGenerators(Trap):
    def spring(self) -> None:
        self.extra = random.random() + np.random.rand()


class Frozen(Trap):
    def spring(self) -> None:
        self.requires_grad_(False)


class Half(Trap):
    def spring(self) -> None:
        self.bfloat16()

    def forward(self, image: torch.Tensor) -> Any:
        return super().forward(image.bfloat16())


class Parametrized(Trap):
    def spring(self) -> None:
        nn.utils.parametrizations.weight_norm(self)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
        self.attention = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, enable_nested_tensor=False)

    def forward(self, image: torch.Tensor) -> Any:
        return self.attention(self.lstm(image)[0])


class Locked(Trap):
    """Holds what can neither be copied nor looked into, but has nothing to do with tensors."""

    def spring(self) -> None:
        self.extra = threading.Lock()

    def added(self) -> Any:
        return 0


@pytest.mark.parametrize(
    "module", [NumpyBuffer, SeededBuffer, OtherGenerators, Frozen, Half, Parametrized, Recurrent, Locked]
)
def test_is_lean(path: Path, module: type[nn.Module]) -> None:
    _save(path, module)
    assert _compared(path, module, torch.rand(2, 3)).lean


class Grows(Trap):
    def grow(self) -> nn.Module:
        self.other = nn.Linear(3, 3)
        return nn.Sequential(self, self.other)


def test_init_method_comes_before_the_weights(path: Path) -> None:
    _save(path, lambda: Grows().grow())
    loaded = _compared(path, Grows, torch.rand(2, 3), init_method="grow")
    assert isinstance(loaded.module, nn.Sequential)


IMAGE = torch.rand(2, 1, 5, 5, generator=torch.Generator().manual_seed(1))


def _of_net(change: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, torch.Tensor]:
    torch.manual_seed(42)
    return {name: change(tensor) for name, tensor in Net().state_dict().items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.half() if tensor.is_floating_point() else tensor,
        lambda tensor: tensor.double(),
        lambda tensor: tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor,
        lambda tensor: tensor.mT.contiguous().mT if tensor.ndim > 1 else tensor,
        lambda tensor: tensor.flatten()[:1].expand(tensor.numel()).view(tensor.shape) if tensor.ndim == 1 else tensor,
        lambda tensor: torch.stack([tensor, tensor])[1],
        lambda tensor: nn.Parameter(tensor, requires_grad=tensor.is_floating_point()),
    ],
    ids=["half", "double", "channels last", "transposed", "expanded", "views", "parameters"],
)
def test_tensors_of_another_make(path: Path, change: Any) -> None:
    torch.save(_of_net(change), path)
    assert _compared(path, Net, IMAGE).lean


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file(_of_net(torch.clone), path)
    loaded = _compared(path, Net, IMAGE)
    assert loaded.lean
    assert not any(tensor.data_ptr() % 64 for tensor in loaded.module.state_dict().values())


@pytest.mark.parametrize("zipped", [True, False])
def test_the_tensors_are_those_of_the_checkpoint(path: Path, zipped: bool) -> None:
    torch.save(_of_net(torch.clone), path, _use_new_zipfile_serialization=zipped)
    state = torch.load(path, mmap=zipped)
    built = build_with(state, spec_of(path))
    assert built is not None
    assert all(built[0].state_dict()[name].data_ptr() == state[name].data_ptr() for name in state)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_the_file_is_never_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (save_file if path.suffix == ".safetensors" else torch.save)(_of_net(torch.clone), path)
    before = path.read_bytes()
    loaded = _loaded(path, Net)
    assert loaded.lean
    with torch.no_grad():
        for tensor in loaded.module.state_dict().values():
            tensor.zero_()
    assert not any(tensor.any() for tensor in loaded.module.to(torch.float64).state_dict().values())
    assert path.read_bytes() == before


def test_tensors_that_share_memory_in_the_checkpoint_only(path: Path) -> None:
    state = _of_net(torch.clone)
    state["bn.running_mean"] = state["bn.bias"]
    torch.save(state, path)
    module = _compared(path, Net, IMAGE).module
    module.get_buffer("bn.running_mean").fill_(7)
    assert torch.equal(module.get_parameter("bn.bias"), torch.zeros(4))


LATE = """
import importlib
import torch

SCALE = torch.tensor([2.0])


class Lazy(torch.nn.Linear):
    def __init__(self):
        super().__init__(3, 3)
        import by_statement
        self.late = [by_statement, importlib.import_module("by_name")]

    def forward(self, image):
        return super().forward(image) * SCALE + sum(late.OFFSET for late in self.late)
"""


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "late_net.py").write_text(LATE)
    for name in ("by_statement", "by_name"):
        (tmp_path / f"{name}.py").write_text("import torch\nOFFSET = torch.arange(3.0)\n")
    with importable([tmp_path]):
        yield ModuleName("late_net.Lazy")


def test_what_is_imported_meanwhile_is_real(path: Path, late: ModuleName) -> None:
    _save(path, partial(nn.Linear, 3, 3))
    spec = spec_of(path)
    object.__setattr__(spec, "module", late)
    loaded = load_module(spec)
    assert loaded.lean
    assert not loaded.module(torch.rand(1, 3)).is_meta
    assert sys.modules["by_name"].OFFSET.tolist() == [0, 1, 2]


def test_numbers_that_an_import_draws(path: Path, tmp_path: Path) -> None:
    _save(path, Numbers)
    first = "import random\nSTART = random.random()\nfrom test_lean import Numbers\n"
    found = []
    for index in range(2):
        (tmp_path / f"drawing{index}.py").write_text(first)
        spec = spec_of(path)
        object.__setattr__(spec, "module", ModuleName(f"drawing{index}.Numbers"))
        with importable([tmp_path]), reproducible():
            found.append(load_module(spec, lean=index == 0).module.extra)
    assert found[0] == found[1]


def test_nothing_of_the_way_stays(path: Path) -> None:
    for module in (Trap, Fails):
        _save(path, Trap)
        build_with(torch.load(path), spec_of(path, module))
    assert "normal_" not in vars(torch.Tensor)
    assert "exec_module" not in vars(SourceFileLoader)
    assert torch.empty(1).normal_().device.type == "cpu"


def test_normal_numbers_are_left_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("torch._refs.normal")  # what torch would compute them with, on meta
    with pytest.raises(NameError):
        torch.empty(1, device="meta").normal_()
    _save(path, partial(nn.Embedding, 2, 3))
    assert _loaded(path, nn.Embedding, module_args=(2, 3)).lean


class Warns(Trap):
    def spring(self) -> None:
        warnings.warn("old", FutureWarning, stacklevel=2)


class WarnsAndFallsBack(Warns):
    def spring(self) -> None:
        super().spring()
        self.extra = torch.rand(1).item()


@pytest.mark.parametrize("module", [Warns, WarnsAndFallsBack])
def test_warnings_come_once(path: Path, module: type[nn.Module]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _save(path, module)
        assert _loaded(path, module).lean == (module is Warns)
    assert [str(warning.message) for warning in caught] == ["old"] * 2
    assert caught[0].lineno == caught[1].lineno


class Fails(Trap):
    def spring(self) -> None:
        raise ValueError("no such width")


def test_errors_of_the_constructor_are_its_own(path: Path) -> None:
    _save(path, Trap)
    with pytest.raises(ModelError) as info:
        _loaded(path, Fails)
    assert str(info.value) == f"{PLACES['module']}: module: test_lean.Fails(...) raised ValueError: no such width"


def test_generators_are_as_they_were(path: Path) -> None:
    _save(path, Numbers)
    with reproducible():
        states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        assert build_with(torch.load(path), spec_of(path, Numbers)) is None
        assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


def test_a_program_is_loaded_plainly(path: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
        torch.jit.save(torch.jit.trace(nn.Linear(3, 3), torch.zeros(1, 3)), tmp_path / "program.pt")
    _save(path, partial(nn.Linear, 3, 3))
    spec = spec_of(path)
    object.__setattr__(spec, "module", ModuleName("./program.pt", tmp_path / "program.pt"))
    loaded = load_module(spec)
    assert not loaded.lean
    torch.testing.assert_close(loaded.module.state_dict(), torch.load(path), rtol=0, atol=0)

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pytest_torchlauncher.errors import DataError, Position
from pytest_torchlauncher.input_spec import InputSpec
from pytest_torchlauncher.launcher.calling import Convention
from pytest_torchlauncher.launcher.inputs import Feeder
from pytest_torchlauncher.launcher.tensors import Converter
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec
from pytest_torchlauncher.preprocessing.crop import Crop
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Label, Sample

FILE = Path("nets.launcher.yml")
BATCH = Where(keys={"batch": Position(FILE, 5, 9)})
WHERE = Where(Position(FILE, 7, 9), {"value": Position(FILE, 8, 9), "shape": Position(FILE, 9, 9)})
CONVERTER = Converter(torch.device("cpu"), torch.float32)


class Anything(nn.Module):
    def forward(self, **kwargs):
        """Is asked for its signature only."""


class Detector(nn.Module):
    def forward(self, images: list[torch.Tensor], sizes: Any = None):
        """Is asked for its signature only."""


def _feeder(*inputs: InputSpec, module: nn.Module | None = None, **keys: Any) -> Feeder:
    adapter: Any = None
    spec = LauncherSpec("pytorch", ModuleName("nets.Net"), adapter, inputs=inputs, where=BATCH, **keys)
    return Feeder(spec, Convention.of(module or Anything()), CONVERTER)


def _input(name: str = "x", kind: str = "INPUT", **keys: Any) -> InputSpec:
    return InputSpec(name, kind, where=WHERE, **keys)


def _sample(data: Any, name: str = "img_0.png") -> Sample:
    return Sample(name, data, Label(0))


def _images(count: int = 3, height: int = 20, width: int = 30) -> list[Sample]:
    rng = np.random.default_rng(0)
    return [_sample(rng.integers(0, 256, (height, width, 3), np.uint8), f"img_{i}.png") for i in range(count)]


def _fed(*inputs: InputSpec, samples: list[Sample] | None = None, **keys: Any) -> dict[str, Any]:
    return dict(_feeder(*inputs, **keys).feed(samples or _images()).kwargs)


def test_a_lone_input_is_the_sample() -> None:
    samples = _images()
    fed = _fed(_input(), samples=samples)["x"]
    assert (fed.shape, fed.dtype) == ((3, 3, 20, 30), torch.float32)
    np.testing.assert_array_equal(fed[1].numpy(), np.moveaxis(samples[1].data, -1, 0))


def test_without_inputs_the_sample_goes_first() -> None:
    class Net(nn.Module):
        def forward(self, image, scale=1):
            """Is asked for its signature only."""

    lone = _feeder(module=Net()).feed(_images())
    assert [tuple(value.shape) for value in lone.args] == [(3, 3, 20, 30)]
    with_scale = _feeder(_input("scale", "SCALE_FACTOR"), module=Net()).feed(_images())
    assert [tuple(value.shape) for value in with_scale.args] == [(3, 3, 20, 30)]
    assert with_scale.kwargs["scale"].tolist() == [[1, 1]] * 3


@pytest.mark.parametrize(
    ("keys", "shape", "dtype"),
    [
        ({"layout": "NHWC", "precision": "U8"}, (3, 20, 30, 3), torch.uint8),
        ({"layout": "NWHC", "precision": "FP16"}, (3, 30, 20, 3), torch.float16),
        ({"layout": "NCWH", "precision": "I64"}, (3, 3, 30, 20), torch.int64),
        ({"precision": "BF16"}, (3, 3, 20, 30), torch.bfloat16),
    ],
)
def test_layout_and_precision(keys: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    fed = _fed(_input(**keys))["x"]
    assert (tuple(fed.shape), fed.dtype) == (shape, dtype)


@pytest.mark.parametrize("name", ["input_ids", "input_mask", "segment_ids", "attention_mask", "token_type_ids"])
def test_token_inputs_are_int64(name: str) -> None:
    samples = [_sample({name: np.array([1.0, 2.0]), "other": np.array([1, 2])})]
    fed = _fed(_input(name, value=name), _input("other", value="oth"), samples=samples)
    assert [value.dtype for value in fed.values()] == [torch.int64, torch.float32]
    assert _fed(_input(name, value=name, precision="I32"), samples=samples)[name].dtype == torch.int32


def test_parts_are_chosen_by_regular_expression_from_the_start() -> None:
    parts = {"left/1.png": np.float32([1]), "right/1.png": np.float32([2]), "a_right.png": np.float32([3])}
    fed = _fed(_input("a", value="right"), _input("b", value=".*png"), samples=[_sample(parts)])
    assert [value.item() for value in fed.values()] == [2, 1]


def test_parts_are_chosen_by_position() -> None:
    samples = [_sample((np.float32([1]), np.float32([2])))]
    assert [value.item() for value in _fed(_input("a", value=1), _input("b", value=0), samples=samples).values()] == [
        2,
        1,
    ]


def test_one_image_may_serve_several_inputs() -> None:
    fed = _fed(_input("a", value="img_.*"), _input("b", value=".*", layout="NWHC"))
    assert torch.equal(fed["a"], fed["b"].permute(0, 3, 2, 1))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("right", "no identifier matches 'right'; s1 has 'left', 'a_right'"),
        (2, "position 2 is not there; s1 has 'left', 'a_right'"),
    ],
)
def test_a_part_that_is_not_there(value: Any, message: str) -> None:
    sample = _sample({"left": np.zeros(1), "a_right": np.zeros(1)}, "s1")
    with pytest.raises(DataError) as info:
        _fed(_input("x", value=value), samples=[sample])
    assert str(info.value) == f"{FILE}:8:9: inputs: x: {message}"


@pytest.mark.parametrize(
    ("keys", "shape", "dtype"),
    [
        ({"value": [[0.5, 2]]}, (1, 2), torch.float32),
        ({"value": 3}, (), torch.float32),
        ({"value": 3, "shape": (2, 2), "precision": "I32"}, (2, 2), torch.int32),
        ({"value": [1, 2], "per_sample": True}, (3, 2), torch.float32),
        ({"value": 7, "shape": (4,), "per_sample": True, "precision": "U8"}, (3, 4), torch.uint8),
        ({"value": [[1, 2], [3, 4]], "shape": (-1, 2)}, (2, 2), torch.float32),
        ({"value": [True, False], "precision": "BOOL"}, (2,), torch.bool),
    ],
)
def test_constants(keys: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    constant = _fed(_input("c", "CONST_INPUT", **keys), _input())["c"]
    assert (tuple(constant.shape), constant.dtype) == (shape, dtype)
    expected = np.broadcast_to(np.array(keys["value"]), shape)
    np.testing.assert_array_equal(constant.numpy(), expected)


def test_a_constant_of_another_shape() -> None:
    with pytest.raises(DataError) as info:
        _fed(_input("c", "CONST_INPUT", value=[1, 2], shape=(3,)), _input())
    text = "[2] found, [3] expected; correct shape, which is only checked, or the preprocessing"
    assert str(info.value) == f"{FILE}:9:9: inputs: c: {text}"


RESIZED = [Crop(dst_width=10, dst_height=12).apply(Resize(dst_width=24, dst_height=16).apply(s)) for s in _images()]


@pytest.mark.parametrize(
    ("kind", "keys", "compat", "row"),
    [
        ("IMAGE_INFO", {}, None, [20, 30, 1]),
        ("IMAGE_INFO", {"scale": 2.0}, None, [20, 30, 2]),
        ("IMAGE_INFO", {"of": "resized"}, None, [16, 24, 1]),
        ("IMAGE_INFO", {"shape": (1, 6)}, None, [20, 30, 0, 0, 0, 0]),
        ("IMAGE_INFO", {"shape": (2,)}, None, [20, 30]),
        ("IMAGE_INFO", {}, "accuracy_checker", [16, 24]),
        ("IMAGE_INFO", {"shape": (1, 3)}, "accuracy_checker", [16, 24, 1]),
        ("IMAGE_INFO", {"shape": (6,)}, "accuracy_checker", [16, 24, 0, 0, 0, 0]),
        ("IMAGE_INFO", {"of": "original"}, "accuracy_checker", [20, 30]),
        ("ORIG_IMAGE_INFO", {}, None, [20, 30]),
        ("ORIG_IMAGE_INFO", {"shape": (3,)}, None, [20, 30, 1]),
        ("ORIG_IMAGE_INFO", {"shape": (-1, 6)}, "accuracy_checker", [20, 30, 0, 0, 0, 0]),
        ("PROCESSED_IMAGE_INFO", {}, None, [12, 10]),
        ("PROCESSED_IMAGE_INFO", {"shape": (1, 3)}, "accuracy_checker", [12, 10, 1]),
        ("SCALE_FACTOR", {}, None, [16 / 20, 24 / 30]),
        ("SCALE_FACTOR", {"shape": (2,)}, "accuracy_checker", [16 / 20, 24 / 30]),
    ],
)
def test_infos(kind: str, keys: Any, compat: Any, row: list[float]) -> None:
    info = _fed(_input("i", kind, **keys), _input(), samples=RESIZED, compat=compat)["i"]
    assert info.dtype == torch.float32
    np.testing.assert_array_equal(info.numpy(), np.float32([row] * 3))


def test_all_infos_stand_together() -> None:
    types = ["IMAGE_INFO", "ORIG_IMAGE_INFO", "PROCESSED_IMAGE_INFO", "SCALE_FACTOR"]
    fed = _fed(_input(), *(_input(kind.lower(), kind, precision="I64") for kind in types))
    assert list(fed) == ["x", *map(str.lower, types)]
    assert {value.dtype for name, value in fed.items() if name != "x"} == {torch.int64}


def test_infos_without_a_resize() -> None:
    fed = _fed(_input(), _input("s", "SCALE_FACTOR"), _input("i", "IMAGE_INFO"), compat="accuracy_checker")
    assert fed["s"].tolist() == [[1, 1]] * 3
    assert fed["i"].tolist() == [[20, 30]] * 3


def test_infos_of_tensors() -> None:
    fed = _fed(_input(), _input("i", "ORIG_IMAGE_INFO"), samples=[_sample(torch.zeros(3, 5, 7))])
    assert fed["i"].tolist() == [[5, 7]]


def test_infos_of_what_is_no_image() -> None:
    with pytest.raises(DataError) as info:
        _fed(_input(), _input("i", "IMAGE_INFO"), samples=[_sample(np.zeros(4), "words")])
    message = "inputs: i: words is no image, and IMAGE_INFO is made of an image's size"
    assert str(info.value) == f"{FILE}:7:9: {message}"


def test_ignored_inputs_are_not_passed() -> None:
    assert list(_fed(_input(), _input("mask", "IGNORE_INPUT"))) == ["x"]


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((3, 20, 30), "NCHW"), ((1, 3, 20, 30), "NCHW"), ((-1, 20, -1), "NCHW"), ((20, 30, 3), "NHWC")],
)
def test_shapes_are_checked(shape: tuple[int, ...], layout: str) -> None:
    assert _fed(_input(shape=shape, layout=layout))["x"].shape[0] == 3


@pytest.mark.parametrize(
    ("shape", "layout", "found"),
    [
        ((3, 30, 20), "NCHW", [3, 3, 20, 30]),
        ((20, 30, 3), "NCHW", [3, 3, 20, 30]),
        ((8, 3, 20, 20), "NCHW", [3, 3, 20, 30]),
        ((20, 30), "NHWC", [3, 20, 30, 3]),
    ],
)
def test_another_shape(shape: tuple[int, ...], layout: str, found: list[int]) -> None:
    with pytest.raises(DataError) as info:
        _fed(_input(shape=shape, layout=layout))
    text = f"{found} found, {list(shape)} expected; correct shape, which is only checked, or the preprocessing"
    assert str(info.value) == f"{FILE}:9:9: inputs: x: {text}"


def test_structures_pass_through_with_the_axis_of_the_batch() -> None:
    rng = np.random.default_rng(0)
    samples = [
        _sample(
            {"ids": torch.arange(4), "pair": (rng.random((5, 6, 3)), np.array(i)), "name": {"deep": np.array([i / 2])}}
        )
        for i in range(2)
    ]
    fed = _feeder(_input("x")).feed(samples).kwargs["x"]
    assert (tuple(fed["ids"].shape), fed["ids"].dtype) == ((2, 4), torch.int64)
    image, number = fed["pair"]
    assert (tuple(image.shape), image.dtype) == ((2, 3, 5, 6), torch.float32)
    assert (number.tolist(), number.dtype) == ([0, 1], torch.int64)


def test_precision_of_a_structure() -> None:
    samples = [_sample({"a": np.array([1.5]), "b": (torch.ones(2),)})]
    fed = _fed(_input("x", precision="FP16"), samples=samples)["x"]
    assert {fed["a"].dtype, fed["b"][0].dtype} == {torch.float16}


@pytest.mark.parametrize("inputs", [(), (_input("images"),), (_input("anything"),)])
def test_modules_that_take_a_list_get_one_tensor_a_sample(inputs: Any) -> None:
    samples = [*_images(1, 20, 30), *_images(1, 8, 9)]
    fed = _feeder(*inputs, module=Detector()).feed(samples)
    (images,) = [*fed.args, *fed.kwargs.values()]
    assert [tuple(image.shape) for image in images] == [(3, 20, 30), (3, 8, 9)]


def test_a_layout_without_the_batch_gives_a_list() -> None:
    samples = [*_images(1, 20, 30), *_images(1, 8, 9)]
    fed = _fed(_input(layout="HWC", precision="U8", shape=(-1, -1, 3)), samples=samples)["x"]
    assert [(tuple(image.shape), image.dtype) for image in fed] == [
        ((20, 30, 3), torch.uint8),
        ((8, 9, 3), torch.uint8),
    ]
    with pytest.raises(DataError, match=re.escape("[3, 20, 30] found, [3, 20, 20] expected")):
        _fed(_input(layout="CHW", shape=(3, 20, 20)), samples=samples)


@pytest.mark.parametrize(
    ("data", "other", "message"),
    [
        (np.zeros((4, 5, 3)), np.zeros((4, 6, 3)), "a (4, 5, 3) and b (4, 6, 3)"),
        (np.zeros(3), torch.zeros(3), "a (3,) and b (3,)"),
        ({"x": np.zeros(3)}, {"y": np.zeros(3)}, "a with the parts x and b with the parts y"),
        ((np.zeros(3),), (np.zeros(3), np.zeros(3)), "a with 1 parts and b with 2 parts"),
        ((np.zeros(3),), (np.zeros(4),), "a (3,) and b (4,)"),
    ],
)
def test_samples_that_do_not_go_into_one_batch(data: Any, other: Any, message: str) -> None:
    with pytest.raises(DataError) as info:
        _fed(_input(), samples=[_sample(data, "a"), _sample(other, "b")])
    is_image = isinstance(data, np.ndarray) and data.ndim == 3
    remedy = "add a resize or crop to the preprocessing" if is_image else "pad them to one shape, with the same parts"
    assert str(info.value) == f"{FILE}:5:9: {message} cannot go into one batch; {remedy}, or set batch: 1"


def test_parts_may_come_in_any_order() -> None:
    samples = [
        _sample({"a": np.float32([1]), "b": np.float32([2])}),
        _sample({"b": np.float32([4]), "a": np.float32([3])}),
    ]
    fed = _fed(_input(), samples=samples)["x"]
    assert {name: part.tolist() for name, part in fed.items()} == {"a": [[1], [3]], "b": [[2], [4]]}


def test_a_shape_for_several_parts() -> None:
    with pytest.raises(DataError) as info:
        _fed(_input(shape=(3,)), samples=[_sample({"a": np.zeros(3), "b": np.zeros(3)}, "s1")])
    message = "inputs: x: s1 has the parts a, b, which shape cannot check; choose one with value, or remove shape"
    assert str(info.value) == f"{FILE}:9:9: {message}"


def test_state_is_zero_at_first_and_then_what_was_carried() -> None:
    feeder = _feeder(_input(), _input("h", "LSTM_INPUT", value="hidden", shape=(4,)))
    assert feeder.feed(_images(1)).kwargs["h"].tolist() == [[0, 0, 0, 0]]
    carried = torch.ones(1, 4)
    assert feeder.feed(_images(1), {"h": carried}).kwargs["h"] is carried


@pytest.mark.parametrize(("shape", "zeros"), [((1, 4), (1, 4)), ((2, 4), (1, 2, 4)), ((2, 1, 4), (2, 1, 4))])
def test_shape_of_the_first_state(shape: tuple[int, ...], zeros: tuple[int, ...]) -> None:
    fed = _fed(_input(), _input("h", "LSTM_INPUT", value="hidden", shape=shape), samples=_images(1))
    assert tuple(fed["h"].shape) == zeros


def test_definitions_say_what_is_fed() -> None:
    assert str(_input()) == "x INPUT()"
    keys = {"value": "a.*", "layout": "NHWC", "precision": "U8", "shape": (2, 3)}
    assert str(_input(**keys)) == "x INPUT(value=a.*, shape=[2, 3], precision=U8, layout=NHWC)"
    assert str(_input("i", "IMAGE_INFO", of="resized", scale=2.0)) == "i IMAGE_INFO(of=resized, scale=2)"
    constant = _input("c", "CONST_INPUT", value=[[1, 2]], per_sample=True)
    assert str(constant) == "c CONST_INPUT(value=[[1, 2]], per_sample)"

from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.input_spec import LAYOUTS, PRECISIONS
from pytest_torchlauncher.launcher.tensors import Converter, floating_dtype

CPU = torch.device("cpu")


def _tensor(data: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    converter = Converter(CPU, dtype)
    return converter.tensor(data) if isinstance(data, torch.Tensor) else converter.array(data)


def test_images_become_nchw_in_plain_memory() -> None:
    images = np.random.default_rng(0).random((2, 4, 5, 3), dtype=np.float32)
    tensor = _tensor(images)
    assert tensor.shape == (2, 3, 4, 5)
    assert tensor[1, 2, 3, 4] == images[1, 3, 4, 2]
    assert tensor.is_contiguous()


def test_gray_images_let_a_module_call_view() -> None:
    tensor = _tensor(np.zeros((2, 8, 8, 1), np.float32))
    assert torch.nn.Conv2d(1, 4, 3)(tensor).view(2, -1).shape == (2, 144)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.bool_, np.float16, np.float64])
@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (2, 5), (2,), (2, 3, 4, 5, 6)])
def test_arrays_take_the_dtype_of_the_module(dtype: Any, shape: tuple[int, ...]) -> None:
    data = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    tensor = _tensor(data)
    assert tensor.dtype == torch.float32
    expected = np.moveaxis(data, -1, 1) if len(shape) == 4 else data
    np.testing.assert_array_equal(tensor.numpy(), expected.astype(np.float32))
    if len(shape) == 4:
        assert tensor.is_contiguous()


def test_double_precision_is_kept_for_a_module_in_it() -> None:
    data = np.array([1 / 3])
    assert _tensor(data, torch.float64).item() == 1 / 3


@pytest.mark.parametrize("data", [np.arange(6.0)[::-1], np.broadcast_to(np.float32(1), (3, 2)), np.float64([[1, 2]]).T])
def test_any_memory_layout(data: np.ndarray) -> None:
    data.setflags(write=False)
    np.testing.assert_array_equal(_tensor(data, torch.float64).numpy(), data)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.int32])
def test_integer_tensors_stay_as_they_are(dtype: torch.dtype) -> None:
    data = torch.ones(2, 4, 5, 3, dtype=dtype)
    assert _tensor(data) is data


def test_floating_tensors_are_cast_but_not_permuted() -> None:
    data = torch.rand(2, 4, 5, 3, dtype=torch.float64)
    tensor = _tensor(data, torch.bfloat16)
    assert tensor.shape == data.shape
    assert tensor.dtype == torch.bfloat16
    assert _tensor(data, torch.float64) is data


def test_containers_keep_their_kind() -> None:
    image, ids = np.zeros((1, 2, 2, 3), np.uint8), torch.arange(3)
    named = Converter(CPU, torch.float32).structure({"image": image, "rest": ([ids, None], "text", 1)})
    assert named["image"].shape == (1, 3, 2, 2)
    assert named["rest"] == ([ids, None], "text", 1)


def test_integers_in_structures_keep_their_dtype() -> None:
    converter = Converter(CPU, torch.float64)
    found = converter.structure({"ids": np.arange(3), "mask": np.ones(3, bool), "score": np.float32([1, 2])})
    assert [tensor.dtype for tensor in found.values()] == [torch.int64, torch.bool, torch.float64]


def _source(layout: str) -> str:
    return {2: "NC", 3: "NCH" if "N" in layout else "HWC", 4: "NHWC", 5: "NDHWC"}.get(len(layout), "N")


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "NSH"])
def test_layouts(layout: str) -> None:
    """Each axis of the tensor is the axis of that letter: einsum knows how to say it without any arithmetic of ours."""
    source = _source(layout)
    data = np.random.default_rng(0).random([2, 3, 4, 5, 6][: len(layout)])
    expected = np.einsum(f"{source}->{layout}", data)
    found = Converter(CPU, torch.float64).array(data, layout)
    np.testing.assert_array_equal(found.numpy(), expected)
    assert found.is_contiguous()


@pytest.mark.parametrize(
    ("layout", "shape"), [("NSH", (2, 3, 4)), ("NHWC", (2, 3)), ("NC", (2, 3, 4, 5)), ("", (2, 3))]
)
def test_other_numbers_of_axes_keep_their_order(layout: str, shape: tuple[int, ...]) -> None:
    data = np.random.default_rng(0).random(shape)
    np.testing.assert_array_equal(Converter(CPU, torch.float64).array(data, layout).numpy(), data)


@pytest.mark.parametrize("name", PRECISIONS)
@pytest.mark.parametrize("source", [np.float32, np.float64, np.uint8, np.int64])
def test_precisions_truncate_as_astype_does(name: str, source: Any) -> None:
    data = (np.random.default_rng(0).random((2, 3)) * 100).astype(source)
    dtype = getattr(torch, PRECISIONS[name])
    found = Converter(CPU, torch.float32).array(data, "NC", dtype)
    assert found.dtype == dtype
    expected = torch.tensor(data.tolist()).to(torch.float64)
    if not dtype.is_floating_point:
        expected = expected.bool() if name == "BOOL" else expected.trunc()
    torch.testing.assert_close(found.to(torch.float64), expected.to(torch.float64), rtol=1e-2, atol=0)


def test_channels_last_takes_images_as_they_lie_in_memory() -> None:
    images = np.random.default_rng(0).random((2, 4, 5, 3), dtype=np.float32)
    tensor = Converter(CPU, torch.float32, channels_last=True).array(images)
    assert tensor.shape == (2, 3, 4, 5)
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert np.shares_memory(tensor.numpy(), images)


def test_floating_dtype() -> None:
    module = torch.nn.BatchNorm1d(2, affine=False)
    assert floating_dtype(torch.nn.Module()) == torch.float32
    assert floating_dtype(module.double()) == torch.float64
    assert floating_dtype(torch.nn.Linear(1, 1).half()) == torch.float16


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_data_goes_to_the_device() -> None:
    device = torch.device("cuda")
    tensors = Converter(device, torch.float16).structure((np.zeros((1, 2, 2, 3)), torch.arange(3)))
    assert {tensor.device.type for tensor in tensors} == {"cuda"}
    assert [tensor.dtype for tensor in tensors] == [torch.float16, torch.int64]
    assert tensors[0].is_contiguous()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_copies_to_cuda_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = []
    monkeypatch.setattr(torch.Tensor, "to", _noting(torch.Tensor.to, pinned))
    Converter(torch.device("cuda"), torch.float32).array(np.zeros((1, 2, 2, 3), np.uint8))
    assert pinned == [True]


def _noting(to: Any, pinned: list[bool]) -> Any:
    def noted(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if kwargs.get("non_blocking"):
            pinned.append(self.is_pinned())
        return to(self, *args, **kwargs)

    return noted


def test_copies_go_through_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU what can be seen is which calls are made for one, in which order."""
    calls = []
    tensor = torch.zeros(2)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: calls.append("pin_memory") or self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *args, **kwargs: calls.append((args, kwargs)) or self)
    Converter(torch.device("cuda", 1), torch.float32).placed(tensor)
    assert calls == ["pin_memory", ((torch.device("cuda", 1),), {"non_blocking": True})]
    calls.clear()
    Converter(torch.device("cpu"), torch.float32).placed(tensor)
    assert calls == [((torch.device("cpu"),), {})]

from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.launcher.inputs import to_tensor, to_tensors

CPU = torch.device("cpu")


def _tensor(data: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return to_tensor(data, CPU, dtype)


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
    named = to_tensors({"image": image, "rest": ([ids, None], "text", 1)}, CPU, torch.float32)
    assert named["image"].shape == (1, 3, 2, 2)
    assert named["rest"] == ([ids, None], "text", 1)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_data_goes_to_the_device() -> None:
    device = torch.device("cuda")
    tensors = to_tensors((np.zeros((1, 2, 2, 3)), torch.arange(3)), device, torch.float16)
    assert {tensor.device.type for tensor in tensors} == {"cuda"}
    assert [tensor.dtype for tensor in tensors] == [torch.float16, torch.int64]
    assert tensors[0].is_contiguous()

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.launcher.reproducible import reproducible

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def _numbers() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), torch.rand(1).item()


def _tf32_flags() -> list[Any]:
    """Return every TF32 flag, older ones first; those that torch refuses to read as None."""
    from torch import backends

    flags: list[Any] = []
    owners = [backends.cuda.matmul, backends.cudnn]
    for owner in owners:
        try:
            flags.append(owner.allow_tf32)
        except RuntimeError:
            flags.append(None)
    newer = [backends.cuda.matmul, getattr(backends.cudnn, "conv", None), getattr(backends.cudnn, "rnn", None)]
    return flags + [getattr(owner, "fp32_precision", None) for owner in newer]


def _settings() -> list[Any]:
    return [
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        os.environ.get(CUBLAS),
        *_tf32_flags(),
    ]


@contextlib.contextmanager
def _settings_restored() -> Iterator[None]:
    """Undo what a test sets globally, without the code under test."""
    with contextlib.ExitStack() as stack:
        stack.callback(torch.use_deterministic_algorithms, False)
        stack.callback(setattr, torch.backends.cudnn, "benchmark", False)
        stack.callback(setattr, torch.backends.cudnn, "allow_tf32", True)
        stack.callback(setattr, torch.backends.cuda.matmul, "allow_tf32", False)
        yield


def test_numbers_repeat() -> None:
    with reproducible():
        first = _numbers()
    with reproducible():
        second = _numbers()
    with reproducible(seed=1):
        other = _numbers()
    assert first == second
    assert set(first).isdisjoint(other)


def test_generators_go_on_where_they_were() -> None:
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    expected = _numbers()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    with reproducible():
        _numbers()
    assert _numbers() == expected


def test_settings_inside() -> None:
    with _settings_restored():
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = True
        with reproducible():
            deterministic, warn_only, benchmark, workspace, matmul, cudnn, *newer = _settings()
            assert (deterministic, warn_only, benchmark) == (True, True, False)
            assert (matmul, cudnn) == (False, False)
            assert set(newer) <= {"ieee", None}
            assert workspace


def test_cudnn_flags_can_be_changed_inside() -> None:
    with reproducible(), torch.backends.cudnn.flags(enabled=False):
        assert not torch.backends.cudnn.enabled


@pytest.mark.parametrize("fails", [False, True])
def test_settings_are_restored(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CUBLAS, raising=False)
    before = _settings()
    with contextlib.suppress(ValueError), reproducible():
        assert _settings() != before
        if fails:
            raise ValueError
    assert _settings() == before


def test_settings_of_the_user_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CUBLAS, ":16:8")
    with _settings_restored():
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = True
        before = _settings()
        with reproducible():
            assert os.environ[CUBLAS] == ":16:8"
        assert _settings() == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="this torch has one TF32 flag only")
def test_flags_that_torch_refuses_to_read_are_restored() -> None:
    with _settings_restored():
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        before = _settings()
        assert None in before
        with reproducible():
            assert None not in _tf32_flags()[:2]
        assert _settings() == before


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_generator_of_a_device_goes_on_where_it_was() -> None:
    torch.cuda.init()
    state = torch.cuda.get_rng_state()
    expected = torch.rand(1, device="cuda").item()
    torch.cuda.set_rng_state(state)
    with reproducible():
        first = torch.rand(1, device="cuda").item()
    assert torch.rand(1, device="cuda").item() == expected
    with reproducible():
        assert torch.rand(1, device="cuda").item() == first


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_matrix_products_on_cuda_are_exact_and_silent() -> None:
    values = torch.full((64, 64), 1 + 2**-20, device="cuda")
    with reproducible():
        assert (values @ torch.eye(64, device="cuda")).equal(values)

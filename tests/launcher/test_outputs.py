import re
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.errors import NonFiniteError, OutputError
from pytest_torchlauncher.launcher.outputs import check_finite, flatten, to_arrays
from pytest_torchlauncher.types import Outputs

A, B, C = torch.zeros(4, 10), torch.zeros(4, dtype=torch.int64), torch.zeros(4, 2, 2)


@dataclass
class Result:
    logits: torch.Tensor
    hidden: Any = None


Pair = namedtuple("Pair", ["first", "second"])


@pytest.mark.parametrize(
    ("raw", "names", "expected"),
    [
        (A, (), {"output": A}),
        (A, ("logits",), {"logits": A}),
        ((A, B), (), {"output_0": A, "output_1": B}),
        ([A], (), {"output_0": A}),
        ((A, B, C), ("scores", "labels"), {"scores": A, "labels": B, "output_2": C}),
        (Pair(A, B), ("scores",), {"scores": A, "output_1": B}),
        ({"out": A, "aux": B}, (), {"out": A, "aux": B}),
        ({"out": A, "aux": B}, ("aux",), {"aux": B, "out": A}),
        (OrderedDict(out=A), ("out",), {"out": A}),
        (UserDict(out=A), (), {"out": A}),
        ({0: A}, (), {"0": A}),
        (Result(A), (), {"logits": A}),
        (Result(A, (B, {"last": C})), (), {"logits": A, "hidden.0": B, "hidden.1.last": C}),
        (Result(A, B), ("hidden", "logits"), {"hidden": B, "logits": A}),
        ((A, None, B), (), {"output_0": A, "output_2": B}),
        ((A, [B, (C,)]), ("x", "y"), {"x": A, "y.0": B, "y.1.0": C}),
        (
            [{"boxes": A, "labels": B}, {"boxes": C}],
            (),
            {"output_0.boxes": A, "output_0.labels": B, "output_1.boxes": C},
        ),
        ({"a": {"b": A, "c": B}, "d": C}, ("d", "a.c"), {"d": C, "a.b": A, "a.c": B}),
    ],
)
def test_names(raw: Any, names: tuple[str, ...], expected: dict[str, torch.Tensor]) -> None:
    tensors = flatten(raw, names)
    assert list(tensors) == list(expected)
    assert all(tensors[name] is expected[name] for name in expected)


@pytest.mark.parametrize(
    ("raw", "names", "message"),
    [
        (A, ("a", "b"), "there is no output for 'b'; the module returned a (4, 10) float32"),
        (
            (A, B),
            ("a", "b", "c", "d"),
            "there is no output for 'c', 'd'; the module returned a (4, 10) float32, b (4,) int64",
        ),
        ({"out": A}, ("aux",), "there is no output for 'aux'; the module returned out (4, 10) float32"),
        ((A, None), ("a", "b"), "there is no output for 'b'; the module returned a (4, 10) float32"),
        ({"out": A, "n": 3}, (), "'n' is of type int; a tensor expected"),
        ((A, {"text": "x"}), (), "'output_1.text' is of type str; a tensor expected"),
        ("text", (), "'output' is of type str; a tensor expected"),
        (Result, (), "'output' is of type type; a tensor expected"),
        (None, (), "the module returned no tensor"),
        ([], (), "the module returned no tensor"),
        ({"a": None}, ("a",), "the module returned no tensor"),
    ],
)
def test_what_cannot_be_named(raw: Any, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(OutputError, match=f"^{re.escape(message)}$"):
        flatten(raw, names)


def test_a_lone_tensor_keeps_its_batch() -> None:
    assert to_arrays(flatten(A))["output"].shape == (4, 10)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float16, np.float32),
        (torch.bfloat16, np.float32),
        (torch.float32, np.float32),
        (torch.float64, np.float64),
        (torch.int64, np.int64),
        (torch.bool, np.bool_),
    ],
)
def test_dtypes_of_arrays(dtype: torch.dtype, expected: Any) -> None:
    outputs = to_arrays({"x": torch.ones(2, dtype=dtype), "y": torch.ones(3, requires_grad=True)})
    assert outputs["x"].dtype == expected
    np.testing.assert_array_equal(outputs["x"], 1)
    assert list(outputs) == ["x", "y"]


IDS = ["000.png", "001.png", "002.png"]


def _values(shape: tuple[int, ...] = (3, 2, 2), **bad: float) -> np.ndarray:
    values = np.zeros(shape, np.float32)
    for row, value in bad.items():
        values[int(row.removeprefix("row"))].flat[-1] = value
    return values


@pytest.mark.parametrize(
    ("arrays", "kind", "output", "identifier"),
    [
        ({"x": _values(row1=np.nan)}, "NaN", "x", "001.png"),
        ({"x": _values(row2=-np.inf)}, "infinity", "x", "002.png"),
        ({"x": _values(row1=np.inf, row2=np.nan)}, "infinity", "x", "001.png"),
        ({"x": _values(row2=np.nan), "y": _values(row1=np.inf)}, "infinity", "y", "001.png"),
        ({"x": _values(row1=np.inf), "y": _values(row1=np.nan)}, "infinity", "x", "001.png"),
        ({"z": _values(row1=np.inf), "a": _values(row1=np.nan)}, "infinity", "z", "001.png"),
        ({"n": np.arange(3), "x": np.array([0, np.nan, 0])}, "NaN", "x", "001.png"),
        ({"x": np.array([np.inf, np.nan])}, "NaN", "x", "000.png"),
        ({"x": np.array(np.nan)}, "NaN", "x", "000.png"),
        ({"x": np.array([[0], [0], [complex(0, np.nan)]])}, "NaN", "x", "002.png"),
    ],
)
def test_first_sample_that_is_not_finite(arrays: Any, kind: str, output: str, identifier: str) -> None:
    with pytest.raises(NonFiniteError) as info:
        check_finite(Outputs(arrays), IDS)
    assert str(info.value) == f"output {output!r} has {kind} from {identifier} on"
    assert (info.value.kind, info.value.identifier) == (kind, identifier)


def test_finite_outputs_pass() -> None:
    arrays = {
        "x": _values(),
        "n": np.arange(3),
        "none": np.zeros((3, 0)),
        "empty": np.zeros((0, 4)),
        "b": np.array(True),
    }
    check_finite(Outputs(arrays), IDS)

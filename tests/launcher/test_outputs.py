import re
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from pytest_torchlauncher.errors import NonFiniteError, OutputError
from pytest_torchlauncher.launcher.outputs import check_finite, flatten, has_entry_by_sample, join, stack, to_arrays
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
        ({"out": A, "n": 3, "cache": object()}, (), {"out": A}),
        ((A, {"text": "x", "in": B}), (), {"output_0": A, "output_1.in": B}),
        ({"out": A, "words": ["a"], "pair": [B, None]}, (), {"out": A, "pair.0": B}),
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
        (
            {"n": 3, "text": "x"},
            (),
            "the module returned no tensor; let forward return one, or a tuple, list or mapping of them",
        ),
        ({"out": A, "n": 3}, ("n",), "there is no output for 'n'; the module returned out (4, 10) float32"),
        ((A, 3), (), "'output_1' is of type int; a tensor expected"),
        ("text", (), "'output' is of type str; a tensor expected"),
        (Result, (), "'output' is of type type; a tensor expected"),
        (None, (), "the module returned no tensor; let forward return one, or a tuple, list or mapping of them"),
        ([], (), "the module returned no tensor; let forward return one, or a tuple, list or mapping of them"),
        (
            {"a": None},
            ("a",),
            "the module returned no tensor; let forward return one, or a tuple, list or mapping of them",
        ),
    ],
)
def test_what_cannot_be_named(raw: Any, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(OutputError, match=f"^{re.escape(message)}$"):
        flatten(raw, names)


ONE = {"boxes": torch.zeros(2, 4), "labels": torch.zeros(2, dtype=torch.int64)}
TWO = {"boxes": torch.zeros(5, 4), "labels": torch.zeros(5, dtype=torch.int64)}


@pytest.mark.parametrize("names", [(), ("boxes",), ("boxes", "labels")])
def test_a_list_of_mappings_has_an_entry_a_sample(names: tuple[str, ...]) -> None:
    assert has_entry_by_sample([ONE, TWO], names, 2)
    tensors = flatten([ONE, TWO], names, by_sample=True)
    assert list(tensors) == ["boxes", "labels"]
    assert tensors["boxes"] == (ONE["boxes"], TWO["boxes"])
    outputs = to_arrays(tensors)
    assert [array.shape for array in outputs.by_sample("lab.*")] == [(2,), (5,)]
    described = "boxes a list of 2, the first (2, 4) float32, labels a list of 2, the first (2,) int64"
    assert outputs.describe() == described
    with pytest.raises(OutputError) as info:
        outputs.select("boxes")
    assert str(info.value) == f"boxes has another shape for each sample; the module returned {described}"
    check_finite(outputs, IDS[:2])


STAGE = {"logits": torch.zeros(3, 5), "aux": torch.zeros(3)}


@pytest.mark.parametrize(
    ("raw", "names", "batch", "lists", "expected"),
    [
        ([ONE, TWO], (), 3, False, False),
        ([ONE, TWO], ("first", "second"), 2, False, False),
        ((ONE, TWO), (), 2, False, False),
        ([ONE, {"boxes": A}], (), 2, True, False),
        ([STAGE] * 3, (), 3, False, False),  # three stages, each of the whole batch
        ([STAGE] * 3, (), 3, True, True),  # three detections in each of three images
        ([ONE], (), 1, False, True),
        ([torch.zeros(5)] * 3, (), 3, False, True),  # a row of scores for each sample
        ([torch.zeros(5)] * 3, ("scores",), 3, False, True),
        ([torch.zeros(5)] * 2, ("a", "b"), 2, False, False),
        ([A, C], (), 4, False, False),
        ([torch.zeros(2, 5), torch.zeros(2)], (), 2, True, False),  # two outputs of the whole batch
        ([torch.zeros(5)], (), 1, False, True),
        ([torch.zeros(1, 5)], (), 1, False, False),
        ([1, 2], (), 2, False, False),
        (A, (), 4, False, False),
    ],
)
def test_which_lists_have_an_entry_by_sample(raw: Any, names: Any, batch: int, lists: bool, expected: bool) -> None:
    assert has_entry_by_sample(raw, names, batch, lists=lists) is expected


def test_lists_of_tensors_by_sample() -> None:
    assert flatten([A, C], by_sample=True) == {"output": (A, C)}
    assert flatten([A, C], ("scores",), by_sample=True) == {"scores": (A, C)}
    with pytest.raises(OutputError, match=r"^the samples have outputs of different names; the same for each expected$"):
        flatten([ONE, {"boxes": A}], by_sample=True)


@pytest.mark.parametrize("names", [("output_1",), ("a", "a")])
def test_two_outputs_of_one_name(names: tuple[str, ...]) -> None:
    with pytest.raises(OutputError, match=rf"^two outputs are called '{names[0]}'; choose other output_names$"):
        flatten((A, B), names)


def test_arrays_are_copies() -> None:
    memory = torch.ones(2, 3)
    outputs = to_arrays({"x": memory})
    memory.zero_()
    np.testing.assert_array_equal(outputs["x"], 1)


def test_sparse_and_narrow_outputs() -> None:
    outputs = to_arrays({"s": torch.eye(2).to_sparse(), "n": torch.ones(2).to(torch.float8_e4m3fn)})
    np.testing.assert_array_equal(outputs["s"], np.eye(2))
    assert (outputs["n"].dtype, outputs["n"].tolist()) == (np.float32, [1, 1])


def test_what_is_of_the_whole_batch_cannot_be_joined() -> None:
    parts = [Outputs({"mean": np.full((3,), i)}) for i in range(2)]
    with pytest.raises(OutputError) as info:
        join(parts, [2, 2])
    message = "mean (3,) is of a batch as a whole, which does not fit in memory; set batch: 2, or feed constants with "
    assert str(info.value) == message + "per_sample"


def test_lists_of_equal_shapes_can_be_selected_as_an_array() -> None:
    outputs = to_arrays(flatten([{"x": torch.ones(3)}, {"x": torch.zeros(3)}], by_sample=True))
    np.testing.assert_array_equal(outputs.select(), [[1, 1, 1], [0, 0, 0]])
    assert [row.tolist() for row in Outputs({"x": np.eye(2)}).by_sample()] == [[1, 0], [0, 1]]


def test_join() -> None:
    rng = np.random.default_rng(0)
    whole = {
        "scores": rng.random((5, 3)),
        "anchors": rng.random((7, 4)),
        "boxes": tuple(rng.random((i, 4)) for i in range(5)),
    }
    cut = [slice(0, 2), slice(2, 4), slice(4, 5)]
    parts = [
        Outputs({"scores": whole["scores"][s], "anchors": whole["anchors"], "boxes": whole["boxes"][s]}) for s in cut
    ]
    joined = join(parts, [2, 2, 1])
    np.testing.assert_array_equal(joined["scores"], whole["scores"])
    np.testing.assert_array_equal(joined["anchors"], whole["anchors"])
    assert all(found is wanted for found, wanted in zip(joined["boxes"], whole["boxes"], strict=True))


def test_stack() -> None:
    steps = [Outputs({"x": np.full((1, 3), i), "n": (np.arange(i),)}) for i in (1, 2)]
    stacked = stack(steps)
    np.testing.assert_array_equal(stacked["x"], [[[1, 1, 1], [2, 2, 2]]])
    assert [array.tolist() for array in stacked["n"]] == [[0, 0, 1]]


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
        ({"x": (np.zeros(2), np.zeros((0, 4)), np.array([np.inf]))}, "infinity", "x", "002.png"),
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

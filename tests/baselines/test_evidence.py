"""Evidence comes back as it went in, and a metric summarises it to the same value."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_torchlauncher.baselines.evidence import pack_evidence, unpack_evidence
from pytest_torchlauncher.baselines.outcomes import pack, unpack
from pytest_torchlauncher.errors import BaselineError
from pytest_torchlauncher.kinds import Metric
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.registry import lookup
from pytest_torchlauncher.types import (
    Attributes,
    Boxes,
    DatasetMeta,
    Embedding,
    Identity,
    Mask,
    Outcomes,
    ScoredBoxes,
    Values,
)


@dataclass(frozen=True)
class Thing:
    part: Any
    other: Any = None


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = hnp.arrays(st.sampled_from(["f4", "f8", "i8", "i2", "u1", "?"]), SHAPES)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.text(max_size=4), ARRAYS,
    st.sampled_from([np.float32(0.1), np.int16(-3), np.bool_(True)]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3),
        st.builds(Thing, inner, inner),
    ),
    max_leaves=8,
)


def same(one, other):
    """Compare type by type, arrays bit by bit but for the sign of zero, NaN equal to itself."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, Thing):
        same((one.part, one.other), (other.part, other.other))
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        same(list(one.values()), list(other.values()))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            same(*pair)
    else:
        assert one == other or (one != one and other != other)


def stored(arrays, n):
    """Return `arrays` after they lay in a file, in their smallest types."""
    outcomes = Outcomes(tuple(map(str, range(n))), {}, {f"m/{name}": array for name, array in arrays.items()})
    return {name.removeprefix("m/"): part for name, part in unpack(pack(outcomes)).evidence.items()}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(VALUES, max_size=5))
def test_what_is_packed_comes_back(evidence):
    same(unpack_evidence(stored(pack_evidence(evidence), len(evidence))), evidence)


@pytest.mark.parametrize("value", [torch.zeros(2), object(), len, {"a": torch.zeros(1)}, 2**70, int])
def test_what_cannot_be_kept_is_not(value):
    assert pack_evidence([value]) is None
    assert pack_evidence([(1, value)]) is None


def test_objects_cost_no_arrays():
    small, large = ([Thing((index, index % 2 == 0), "a") for index in range(n)] for n in (2, 2000))
    assert pack_evidence(small).keys() == pack_evidence(large).keys()


def test_the_same_evidence_has_the_same_bytes_in_every_process():
    code = (
        "import hashlib\n"
        "from pytest_torchlauncher.baselines.evidence import pack_evidence\n"
        "arrays = pack_evidence([{'b': 1, 'a': None}, 'x', (1, 2.5), {'c'.upper(): [1]}])\n"
        "print(hashlib.sha256(b''.join(n.encode() + a.tobytes() for n, a in arrays.items())).hexdigest())\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != b""


def packed():
    return dict(pack_evidence([Thing(np.arange(3)), Thing(np.arange(2))]))


def without(name):
    return {key: array for key, array in packed().items() if key != name}


def renamed(old, new):
    arrays = packed()
    arrays["tree"] = np.frombuffer(arrays["tree"].tobytes().replace(old, new), dtype=np.uint8)
    return arrays


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        without("0"),
        {**packed(), "1": np.arange(4)},
        {**packed(), "0": np.array([[3]])},
        {**packed(), "tree": np.frombuffer(b"{not json", dtype=np.uint8)},
        {**packed(), "tree": np.frombuffer(json.dumps({"n": 2}).encode(), dtype=np.uint8)},
        renamed(b":Thing", b":Thong"),
        renamed(b"test_evidence:Thing", b"not_loaded:Thing"),
        renamed(b"test_evidence:Thing", b"subprocess:Popen"),
    ],
)
def test_damage_is_told_in_a_sentence(arrays):
    with pytest.raises(BaselineError, match=r"^stored evidence is damaged: .*; run pytest --launcher-update$"):
        unpack_evidence(arrays)


def boxes(draw):
    corners = draw.random((draw.integers(1, 5), 2)) * 50
    return np.concatenate([corners, corners + 1 + draw.random(corners.shape) * 40], axis=1)


def detections(draw):
    for _ in range(12):
        truth = boxes(draw)
        found = truth + draw.normal(0, 2, truth.shape)
        labels = draw.integers(1, 3, len(truth))
        yield Boxes(truth, labels), ScoredBoxes(found, labels, draw.random(len(truth)))


def masks(draw):
    for _ in range(12):
        yield Mask(draw.integers(0, 3, (4, 5))), Mask(draw.integers(0, 3, (4, 5)))


def attributes(draw):
    for _ in range(12):
        yield Attributes(draw.integers(0, 2, 4)), Attributes(draw.integers(0, 2, 4))


def values(draw):
    for _ in range(12):
        yield Values(draw.random(3)), Values(draw.random(3))


def people(draw):
    for index in range(12):
        yield Identity(person=index % 3, camera=index % 2, query=index < 4), Embedding(draw.random(5))


PAIRS = {
    "mean_iou": masks,
    "segmentation_accuracy": masks,
    "map": detections,
    "recall": detections,
    "coco_precision": detections,
    "coco_orig_precision": detections,
    "multi_precision": attributes,
    "f1-score": attributes,
    "mae": values,
    "rmse": values,
    "cmc": people,
    "reid_map": people,
}
OPTIONS = {"mean_iou": {"use_argmax": False}, "segmentation_accuracy": {"use_argmax": False}}
META = DatasetMeta({0: "a", 1: "b", 2: "c", 3: "d"})


@pytest.mark.parametrize("name", PAIRS)
def test_metrics_give_the_same_values(name):
    metric: Metric = construct(lookup("metrics", name), OPTIONS.get(name, {}), Context())
    annotations, predictions = zip(*PAIRS[name](np.random.default_rng(1)), strict=True)
    evidence = list(metric.observe(annotations, predictions))
    again = unpack_evidence(stored(pack_evidence(evidence), len(evidence)))
    draw = np.random.default_rng(2)
    for positions in (range(12), draw.integers(0, 12, 12), draw.integers(0, 12, 5)):
        one, other = (
            metric.summarize([items[position] for position in positions], META) for items in (evidence, again)
        )
        np.testing.assert_equal((other.value, other.components), (one.value, one.components))

"""Evidence comes back as it went in, and a metric summarises it to the same value."""

import dataclasses
import datetime
import json
import subprocess
import sys
from collections import Counter, namedtuple
from dataclasses import InitVar, dataclass, field
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_torchlauncher import rle
from pytest_torchlauncher.baselines.evidence import pack_evidence, unpack_evidence
from pytest_torchlauncher.baselines.outcomes import pack, unpack
from pytest_torchlauncher.errors import BaselineError, OutputError
from pytest_torchlauncher.kinds import Metric
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.registry import lookup
from pytest_torchlauncher.types import (
    Annotation,
    Attributes,
    Boxes,
    DatasetMeta,
    DepthMap,
    Embedding,
    Identity,
    Image,
    InstanceMasks,
    Keypoints,
    Label,
    Landmarks,
    Mask,
    MaskScores,
    Matte,
    Named,
    Outcomes,
    Prediction,
    ScoredBoxes,
    ScoredKeypoints,
    ScoredMasks,
    Scores,
    Text,
    Values,
)


@dataclass(frozen=True)
class Thing:
    part: Any
    other: Any = None


@dataclass(slots=True, kw_only=True)
class Pair:
    left: Any
    right: Any


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = hnp.arrays(st.sampled_from(["f2", "f4", "f8", ">f8", "i8", ">i4", "i2", "u1", "u8", "?"]), SHAPES)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=4) | st.sampled_from(["\udcc3\udca9", "\ud83d\ude00"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXTS, st.binary(max_size=4), ARRAYS,
    st.sampled_from([np.float64(0.1), np.float32(0.1), np.int16(-3), np.uint64(2**64 - 1), np.bool_(True)]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=9).map(tuple),
        st.dictionaries(TEXTS | st.integers(0, 9), inner, max_size=3),
        st.builds(Thing, inner, inner),
        st.builds(Pair, left=inner, right=inner),
    ),
    max_leaves=8,
)


def same(one, other):
    """Compare type by type, arrays bit by bit but for the sign of zero, NaN equal to itself."""
    assert type(one) is type(other), (one, other)
    if dataclasses.is_dataclass(one):
        for part in dataclasses.fields(one):
            same(getattr(one, part.name), getattr(other, part.name))
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        same(list(one), list(other))
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


def test_integers_of_equal_dtypes_are_one_kind():
    evidence = [np.longlong(1), np.int64(2), np.zeros(1, np.longlong), np.zeros(1, np.int64)]
    for one, other in zip(unpack_evidence(pack_evidence(evidence)), evidence, strict=True):
        assert one.dtype == other.dtype
        assert one == other


class Subclass(str):
    __slots__ = ()


@dataclass
class Derived:
    part: int
    twice: int = field(init=False, default=2)


@dataclass
class Asking:
    part: int
    more: InitVar[int]


@dataclass(init=False)
class Constructed:
    part: int

    def __init__(self):
        self.part = 1


def local_object():
    @dataclass
    class Local:
        part: int = 1

    return Local()


def endless():
    items = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2), object(), len, int, Thing, {"a": torch.zeros(1)}, 2**63, -(2**63) - 1, 1j, endless(),
        np.array([1j]), np.array(["a"]), np.array([None]), np.array(["2020"], "M8[Y]"), np.zeros(1, "i4,f4"),
        np.ma.masked_array([1, 2], [False, True]), np.str_("a"), np.complex64(1), np.zeros(1, "i4,f4")[0],
        Subclass("a"), Counter("a"), namedtuple("Point", "x")(1), datetime.date(2020, 1, 1), {1, 2},
        local_object(), Derived(1), Asking(1, 2), Constructed(),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_cannot_be_kept_is_not(value):
    assert pack_evidence([value]) is None
    assert pack_evidence([(1, Thing(value)), (1, None)]) is None


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="a long double is a double here")
def test_numbers_of_more_than_64_bits_are_not_kept():
    assert pack_evidence([np.longdouble("0.1")]) is None
    assert pack_evidence([np.zeros(2, np.longdouble)]) is None


def test_objects_cost_no_arrays():
    small, large = ([Thing((index, index % 2 == 0), "a") for index in range(n)] for n in (2, 2000))
    assert pack_evidence(small).keys() == pack_evidence(large).keys()


def test_the_same_evidence_has_the_same_bytes_in_every_process():
    code = (
        "import hashlib\n"
        "import numpy as np\n"
        "from pytest_torchlauncher.baselines.evidence import pack_evidence\n"
        "from pytest_torchlauncher.types import Label, Text\n"
        "kinds = [{'b': 1, 'a': None}, 'x', b'x', (1, 2.5), {'c'.upper(): [1]}, Label(1), Text('a'), np.ones(2)]\n"
        "arrays = pack_evidence([*kinds, True, np.longlong(1), np.int64(2), np.float32(3), np.zeros((1, 2))])\n"
        "print(hashlib.sha256(b''.join(n.encode() + a.tobytes() for n, a in arrays.items())).hexdigest())\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != b""


def packed():
    """Return lengths and bytes of texts as "0" and "1", shapes and numbers of arrays as "2" and "3", and their tree."""
    return dict(pack_evidence([("é", Thing(np.arange(3))), ("b", Thing(np.arange(2)))]))


def changed(**arrays):
    return {**packed(), **{name.removeprefix("_"): array for name, array in arrays.items()}}


def without(name):
    return {key: array for key, array in packed().items() if key != name}


def written(tree):
    return changed(tree=np.frombuffer(tree, dtype=np.uint8))


def renamed(old, new):
    tree = packed()["tree"].tobytes()
    assert old in tree
    return written(tree.replace(old, new))


@pytest.mark.parametrize(
    ("arrays", "damage"),
    [
        ({}, "array 'tree' is missing"),
        (without("3"), "array '3' is missing"),
        (changed(_3=np.arange(4)), "array '3' has 4 values, 5 expected"),
        (changed(_2=np.array([[5]])), "array '2' has 1 values, 2 expected"),
        (changed(_2=np.array([[-1], [6]])), "array '2' has lengths below 0"),
        (changed(_0=np.array([4, -1])), "array '0' has lengths below 0"),
        (changed(_0=np.array([1, 1])), "array '1' has 3 values, 2 expected"),
        (changed(_0=np.array([1, 2])), "UnicodeDecodeError: .*"),
        (changed(_3=np.array([0.5, 1, 2, 0, 1])), "array '3' is float64, int64 expected"),
        (renamed(b"<i8", b"|O"), "array '3' is int64, object expected"),
        (renamed(b'"array"', b'"arroy"'), "the kind 'arroy' is not known"),
        (renamed(b'"n": 2', b'"n": 3'), "array '0' has 2 values, 3 expected"),
        (renamed(b'"part"', b'"port"'), r"TypeError: .*'port'"),
        (written(b"{not json"), "JSONDecodeError: .*"),
        (written(b"[" * 100_000), "RecursionError: .*"),
        (written(b'{"n": 2}'), "KeyError: 'column'"),
        (written(b"[]"), "TypeError: .*"),
    ],
)
def test_damage_is_told_in_a_sentence(arrays, damage):
    with pytest.raises(
        BaselineError, match=f"^the stored evidence is damaged: {damage}; run pytest --launcher-update$"
    ):
        unpack_evidence(arrays)


@dataclass
class Checked:
    part: int

    def __post_init__(self):
        if self.part < 0:
            raise OutputError("0 or more expected")


def test_a_class_that_refuses_its_fields_is_damage():
    arrays = {**pack_evidence([Checked(1)]), "0": np.array([-1])}
    message = "the stored evidence is damaged: OutputError: 0 or more expected; run pytest --launcher-update"
    with pytest.raises(BaselineError, match=f"^{message}$"):
        unpack_evidence(arrays)


@pytest.mark.parametrize(
    "name",
    [
        "test_evidence:Thong", "test_evidence:Thing.part", "test_evidence:SHAPES", "not_loaded:Thing",
        "subprocess:Popen", "wave:Wave_read", "pytest_torchlauncher.gone:Thing", "pytest_torchlauncher.types:Gone",
        "", ":",
    ],
)  # fmt: skip
def test_a_class_that_is_gone_is_told_in_a_sentence(name):
    before = set(sys.modules)
    what = f"^the stored evidence is made of {name}, and no such dataclass is loaded; "
    with pytest.raises(BaselineError, match=f"{what}put it back or run pytest --launcher-update$"):
        unpack_evidence(renamed(b"test_evidence:Thing", name.encode()))
    assert set(sys.modules) == before


def test_a_class_of_this_package_is_imported():
    code = (
        "import sys, numpy as np\n"
        "from pytest_torchlauncher.baselines.evidence import unpack_evidence\n"
        "assert 'pytest_torchlauncher.metrics._reid' not in sys.modules\n"
        "tree = np.frombuffer(sys.stdin.buffer.read(), dtype=np.uint8)\n"
        "print(unpack_evidence({'tree': tree, '0': np.array([1])}))\n"
    )
    number = {"kind": "scalar", "type": "int", "leaf": "0"}
    fields = dict.fromkeys(("index", "person", "persons", "distances"), number)
    column = {"kind": "object", "class": "pytest_torchlauncher.metrics._reid:Query", "fields": fields}
    tree = json.dumps({"n": 1, "column": column}).encode()
    done = subprocess.run([sys.executable, "-c", code], input=tree, capture_output=True, check=True)
    assert done.stdout.strip() == b"[Query(index=1, person=1, persons=1, distances=1)]"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_is_an_error_of_another_class(data):
    arrays = packed()
    name = data.draw(st.sampled_from(sorted(arrays)))
    content = bytearray(arrays[name].tobytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    arrays[name] = np.frombuffer(bytes(content), dtype=arrays[name].dtype).reshape(arrays[name].shape)
    try:
        evidence = unpack_evidence(arrays)
    except BaselineError:
        return
    assert isinstance(evidence, list)


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


def seen(draw):
    for index in range(12):
        yield Identity(person=index % 3, camera=index % 2, query=index < 4), Embedding(draw.random(5))


def outline(draw):
    mask = np.zeros((20, 24), dtype=bool)
    top, left = draw.integers(0, 8, 2)
    mask[top : top + draw.integers(4, 12), left : left + draw.integers(4, 12)] = True
    return rle.encode(mask)


def instances(draw):
    for count in (0, *draw.integers(1, 4, 11)):
        truth, labels = tuple(outline(draw) for _ in range(count)), draw.integers(1, 3, count)
        found = (*truth[1:], outline(draw))
        guesses = np.append(labels[1:], 1)
        sides = np.tile([1.0, 2.0, 9.0, 8.0], (count, 1))
        yield InstanceMasks(truth, labels, sides), ScoredMasks(found, guesses, draw.random(len(found)))


def people(draw):
    for _ in range(12):
        points, labels = draw.random((2, 17, 2)) * 50, np.ones(2, dtype=np.int64)
        sides = np.tile([0.0, 0.0, 50.0, 50.0], (2, 1))
        found = points + draw.normal(0, 1, points.shape)
        truth = Keypoints(points, draw.integers(0, 3, (2, 17)), labels, sides)
        yield truth, ScoredKeypoints(found, np.ones((2, 17)), labels, draw.random(2))


def images(draw):
    for side in draw.integers(12, 16, 12):
        truth = draw.integers(0, 256, (side, side, 3), dtype=np.uint8)
        yield Image(truth, "rgb"), Image(truth[::-1], "rgb")


def texts(draw):
    for _ in range(12):
        yield Text("".join(draw.choice(["a", "é"], 2))), Text("".join(draw.choice(["a", "é"], 2)))


def labels(draw):
    for _ in range(12):
        yield Label(int(draw.integers(0, 3))), Scores(draw.random(4))


PAIRS = {
    "mean_iou": masks,
    "segmentation_accuracy": masks,
    "map": detections,
    "recall": detections,
    "coco_precision": detections,
    "coco_orig_precision": detections,
    "coco_orig_segm_precision": instances,
    "coco_orig_keypoints_precision": people,
    "detection_accuracy": detections,
    "accuracy_per_class": labels,
    "label_level_recognition_accuracy": texts,
    "psnr": images,
    "multi_precision": attributes,
    "f1-score": attributes,
    "mae": values,
    "rmse": values,
    "cmc": seen,
    "reid_map": seen,
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
        np.testing.assert_equal(other.per_sample, one.per_sample)


def test_annotations_and_predictions_of_all_tasks_come_back():
    draw = np.random.default_rng(3)
    pairs = [detections, masks, attributes, values, seen, instances, people, images, texts, labels]
    evidence = [pair for task in pairs for pair in task(draw)]
    evidence += [(Matte(np.zeros((2, 3))), MaskScores(draw.random((2, 3, 4)), "input"))]
    evidence += [
        (
            DepthMap(draw.random((2, 3)), valid=np.ones((2, 3), bool)),
            Landmarks(draw.random((3, 2)), eyes=((0,), (1, 2))),
        )
    ]
    evidence += [(Named({"one": Label(1), "two": evidence[0][0]}), Named({}))]
    assert {type(part) for pair in evidence for part in pair} == {*get_args(Annotation), *get_args(Prediction)}
    same(unpack_evidence(stored(pack_evidence(evidence), len(evidence))), evidence)

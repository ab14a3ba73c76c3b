import io
import zipfile

import numpy as np
import pytest
from baseline_factories import measured
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_torchlauncher.baselines.outcomes import content_hash, pack, unpack
from pytest_torchlauncher.errors import BaselineError
from pytest_torchlauncher.types import Outcomes

NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="<"),
    hnp.unsigned_integer_dtypes(endianness="<"),
    hnp.floating_dtypes(endianness="<", sizes=(16, 32, 64)),
)
NAMES = st.from_regex(r"[a-zé:_. ]{1,8}", fullmatch=True).filter(lambda name: name != "ids")


@st.composite
def outcomes(draw):
    ids = draw(st.lists(st.text().filter(lambda text: "\n" not in text), max_size=5))
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    return Outcomes(tuple(ids), {name: draw(hnp.arrays(draw(NUMBERS), len(ids))) for name in names})


@given(outcomes())
def test_what_is_unpacked_equals_what_was_packed(given_outcomes):
    packed = pack(given_outcomes)
    got = unpack(packed)
    assert got.ids == given_outcomes.ids
    assert set(got.columns) == set(given_outcomes.columns)
    for name, column in given_outcomes.columns.items():
        np.testing.assert_array_equal(got.columns[name], column)
    assert pack(got) == packed
    assert content_hash(got) == content_hash(given_outcomes)


def two(*names):
    columns = {"metric:top1": np.array([1.0, 0.0]), "label": np.array([3, 300])}
    return Outcomes(("a", "b"), {name: columns[name] for name in names})


def test_bytes_do_not_depend_on_time_or_the_order_of_columns(monkeypatch):
    first = pack(two("metric:top1", "label"))
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack(two("label", "metric:top1")) == first
    assert content_hash(two("label", "metric:top1")) == content_hash(two("metric:top1", "label"))


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (np.array([0.0, 1.0]), "u1"),
        (np.array([True, False]), "u1"),
        (np.array([0, 255]), "u1"),
        (np.array([-1, 127]), "i1"),
        (np.array([0, 65535]), "u2"),
        (np.array([-1, 255]), "i2"),
        (np.array([-1, 2**63 - 1]), "i8"),
        (np.array([2, 2**64 - 1], dtype=np.uint64), "u8"),
        (np.array([0.5, np.nan]), "f4"),
        (np.array([0.5, np.inf]), "f4"),
        (np.array([0.1, 0.5]), "f8"),
        (np.array([1e300, 0.5]), "f8"),
        (np.array([0.1, 0.5], dtype=np.float32), "f4"),
    ],
)
def test_columns_take_the_smallest_type_that_keeps_their_values(column, dtype):
    stored = unpack(pack(Outcomes(("a", "b"), {"x": column}))).columns["x"]
    assert stored.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stored, column)


def test_fifty_thousand_hits_take_few_bytes():
    rng = np.random.default_rng(0)
    ids = tuple(f"val/{index:08}.JPEG" for index in range(50_000))
    bare = pack(Outcomes(ids, {}))
    assert len(pack(Outcomes(ids, {"metric:top1": (rng.random(50_000) < 0.995).astype(float)}))) - len(bare) < 8_000


@pytest.mark.parametrize(
    "other",
    [
        Outcomes(("a", "c"), two("label").columns),
        Outcomes(("a", "b"), {"label": np.array([3, 301])}),
        Outcomes(("a", "b"), {"prediction": np.array([3, 300])}),
        Outcomes(("a", "b"), {}),
    ],
)
def test_any_other_content_has_another_hash(other):
    assert len(content_hash(two("label"))) == 16
    assert content_hash(other) != content_hash(two("label"))


def test_no_identifiers_and_one_empty_identifier_differ():
    assert unpack(pack(Outcomes((), {}))).ids == ()
    assert unpack(pack(Outcomes(("",), {}))).ids == ("",)


@pytest.mark.parametrize("action", [pack, content_hash])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            Outcomes(("a\nb",), {}),
            "identifier 'a\\nb' found, one line of UTF-8 expected; rename it",
        ),
        (
            Outcomes(("a", "b"), {"x": np.zeros(3)}),
            "outcomes 'x': float64 (3,) found, numbers (2,) expected",
        ),
        (
            Outcomes(("a",), {"x": np.array(["text"])}),
            "outcomes 'x': <U4 (1,) found, numbers (1,) expected",
        ),
    ],
)
def test_what_cannot_be_packed(action, bad, message):
    with pytest.raises(BaselineError) as caught:
        action(bad)
    assert caught.value.message == message


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in members.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=True)
            file.writestr(f"{name}.npy", member.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        pack(measured().outcomes)[:-30],
        archive(x=np.zeros(2)),
        archive(ids=np.frombuffer(b"a\nb", np.uint8)),
        archive(ids=np.frombuffer(b"a\nb\n", np.uint8), x=np.zeros(3)),
        archive(ids=np.frombuffer(b"\xff\n", np.uint8)),
        archive(ids=np.frombuffer(b"a\n", np.uint8), x=np.array([{}], dtype=object)),
    ],
)
def test_damaged_files_are_said_to_be(content):
    with pytest.raises(BaselineError, match=r"^the file of outcomes is damaged: "):
        unpack(content)

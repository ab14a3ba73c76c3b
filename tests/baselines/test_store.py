import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from baseline_factories import KEY, entry, hits, measured, plain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.baselines.outcomes import content_hash
from pytest_torchlauncher.baselines.store import Store, baseline_file
from pytest_torchlauncher.errors import BaselineError

CUDA = replace(KEY, device="cuda")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "locks").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "locks"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "locks"))
    return tmp_path / "__baselines__" / "digits.json"


def files(path):
    return {str(p.relative_to(path.parent)): p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("digits.launcher.yml", "digits.json"),
        ("digits.v2.launcher.yaml", "digits.v2.json"),
        ("test_x.py", "test_x.json"),
    ],
)
def test_where_baselines_lie(name, stored):
    assert baseline_file(Path("zoo") / name) == Path("zoo/__baselines__") / stored


def test_what_is_written_is_found(path):
    baseline, packed = entry()
    Store(path).write([(baseline, packed)])
    assert Store(path).find(KEY) == baseline
    assert content_hash(Store(path).outcomes(baseline)) == baseline.outcomes
    name = f"digits/digits_cnn-digits-cpu-fp32.{baseline.outcomes}.npz"
    assert set(files(path)) == {"digits.json", name}
    assert files(path)[name] == packed


def test_nothing_is_found_where_nothing_is(path):
    assert Store(path).find(KEY) is None
    assert Store(path).fallback(KEY) is None
    path.parent.write_text("in the way")
    assert Store(path).find(KEY) is None


TEXT = """\
{
  "baselines": [
    {
      "data": {
        "adapter": "classification()",
        "annotations": "a0",
        "content": "c0",
        "count": 4,
        "ids": "1d",
        "inputs": [],
        "label_map": "1a",
        "postprocessing": [],
        "preprocessing": [
          "normalization(std=16)"
        ],
        "preprocessing_hash": "95b3962a73e5cee8"
      },
      "environment": {
        "cpu_capability": "AVX2",
        "cuda": "",
        "device": "cpu",
        "device_name": "A processor",
        "numpy": "2.4.0",
        "plugin": "0.1.0",
        "python": "3.12.1",
        "torch": "2.13.0",
        "torchvision": "0.28.0"
      },
      "key": {
        "dataset": "digits",
        "device": "cpu",
        "launcher": "",
        "model": "digits_cnn",
        "precision": "fp32"
      },
      "metrics": {
        "mäe": {"bounded": false, "definition": "mae()", "definition_hash": "e527bc7f26700933", \
"higher_is_better": false, "n": 4, "value": 0.30000000000000004},
        "top1": {"bounded": true, "definition": "accuracy()", "definition_hash": "90aa231686e569a3", \
"higher_is_better": true, "n": 4, "value": 0.75}
      },
      "model": {
        "config": "c1",
        "weights": "ff"
      },
      "outcomes": "81d0480c10cbfcd3",
      "previous": {
        "top1": 1.0
      },
      "previous_outcomes": "0123456789abcdef",
      "reason": "smaller “model”",
      "run": {
        "batch": 64,
        "batch_effective": 64,
        "channels_last": false,
        "compile": false,
        "deterministic": true,
        "missing_keys": [],
        "precision": "fp32",
        "seed": 0,
        "tf32": false,
        "unexpected_keys": []
      }
    }
  ],
  "schema": 1
}
"""


def test_text_of_the_file(path):
    data = {
        "ids": "1d",
        "content": "c0",
        "annotations": "a0",
        "label_map": "1a",
        "preprocessing": ("normalization(std=16)",),
    }
    measurement = measured(
        {"top1": hits(3, n=4), "mäe": plain(0.1 + 0.2, higher_is_better=False, bounded=False)},
        {"mäe": "mae()"},
        data=data,
        model={"weights": "ff", "config": "c1"},
    )
    Store(path).write([entry(KEY, measurement, previous={"top1": 1.0}, reason="smaller “model”")])
    assert path.read_bytes().decode() == TEXT


def test_names_of_files_are_safe(path):
    key = replace(KEY, model="../a b:c", launcher="fast/é")
    Store(path).write([entry(key)])
    (name,) = set(files(path)) - {"digits.json"}
    assert name == f"digits/.._a_b_c-digits-fast__-cpu-fp32.{entry(key)[0].outcomes}.npz"
    assert Store(path).outcomes(entry(key)[0])


def test_models_that_share_a_file_name_do_not_lose_each_others_outcomes(path):
    first, second = replace(KEY, model="a b"), replace(KEY, model="a_b")
    Store(path).write([entry(first), entry(second)])
    Store(path).write([entry(second, measured({"top1": hits(359)}))])
    for key in (first, second):
        assert Store(path).outcomes(Store(path).find(key))
    assert len(files(path)) == 3


@pytest.mark.parametrize(
    ("device", "others", "found"),
    [
        ("cpu", [("cuda", "fp32"), ("cuda", "amp")], ("cuda", "amp")),
        ("cpu", [("cpu", "int8"), ("cpu", "bf16")], ("cpu", "bf16")),
        ("cuda", [("cuda", "int8"), ("cpu", "amp")], ("cuda", "int8")),
        ("mps", [("cuda", "int8"), ("cpu", "amp")], ("cpu", "amp")),
    ],
)
def test_fallback(path, device, others, found):
    mine = replace(KEY, device=device)
    strangers = [replace(mine, launcher="fast"), replace(mine, model="x"), replace(mine, dataset="y")]
    keys = [replace(KEY, device=device, precision=precision) for device, precision in others]
    Store(path).write([entry(key) for key in (*keys, *strangers, mine)])
    got = Store(path).fallback(mine).key
    assert (got.evaluation, got.device, got.precision) == (KEY.evaluation, *found)


def test_writing_twice_gives_the_same_bytes_in_any_order(path, tmp_path):
    other = tmp_path / "other" / "digits.json"
    Store(path).write([entry(KEY), entry(CUDA)])
    Store(other).write([entry(CUDA)])
    Store(other).write([entry(KEY)])
    assert files(path) == files(other)


def test_other_entries_stay_byte_for_byte(path):
    Store(path).write([entry(KEY), entry(CUDA)])
    odd = path.read_text().replace('"device": "cuda",', '"device":   "cuda", "note": "by hand",')
    path.write_text(odd)
    Store(path).write([entry(KEY, measured({"top1": hits(359)}))])
    after = path.read_text()
    assert '"device":   "cuda", "note": "by hand",' in after
    mine, theirs = (text.split('"key": {')[-1] for text in (odd, after))
    assert mine == theirs
    assert Store(path).find(KEY).metrics["top1"].value == 359 / 360
    assert Store(path).anchor(KEY) == entry(KEY)[0]
    assert len(list(path.with_suffix("").glob("*-cpu-*.npz"))) == 2


@pytest.mark.parametrize("changes", [{}, {"environment": {"torch": "2.14.1"}}, {"run": {"batch": 1}}])
def test_an_equal_entry_is_not_written(path, changes, monkeypatch):
    Store(path).write([entry()])
    path.write_text(path.read_text().replace('"seed": 0', '"seed":0'))
    before = files(path)
    monkeypatch.setattr(os, "replace", lambda *paths: pytest.fail(f"written: {paths}"))
    Store(path).write([entry(measurement=measured(**changes), reason="other", previous={"top1": 0.1})])
    assert files(path) == before


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_an_equal_entry_gets_its_outcomes_back(path, damage):
    Store(path).write([entry()])
    before = files(path)
    damage(next(path.with_suffix("").glob("*.npz")))
    assert not Store(path).holds(entry()[0])
    Store(path).write([entry()])
    assert files(path) == before
    assert Store(path).holds(entry()[0])


def test_temporary_files_of_dead_writers_are_removed(path):
    Store(path).write([entry()])
    for name in ("digits.json.tmp", "digits/x.npz.tmp", "other.json.tmp"):
        (path.parent / name).write_bytes(b"half")
    Store(path).write([entry()])
    assert {name for name in files(path) if name.endswith(".tmp")} == {"other.json.tmp"}


def test_locks_lie_elsewhere(path, tmp_path):
    Store(path).write([entry()])
    assert {p.suffix for p in tmp_path.glob("*") if p.is_file()} == set()
    assert {p.suffix for p in path.parent.rglob("*") if p.is_file()} == {".json", ".npz"}


@pytest.mark.parametrize(
    "metric", [plain(float("nan")), plain(float("inf")), plain(float("-inf"), higher_is_better=False)]
)
def test_what_is_not_finite_is_never_written(path, metric):
    Store(path).write([entry()])
    before = files(path)
    with pytest.raises(
        BaselineError,
        match=r"^digits_cnn-digits: a number that is not finite cannot be stored; check outputs and annotations$",
    ):
        Store(path).write([entry(measurement=measured({"top1": metric}))])
    assert files(path) == before


def test_outcomes_of_another_measurement_are_never_written(path):
    (baseline, _), (_, packed) = entry(), entry(measurement=measured({"top1": hits(1)}))
    with pytest.raises(BaselineError, match=r"^outcomes of digits_cnn-digits are not those that its baseline names$"):
        Store(path).write([(baseline, packed)])
    assert not path.exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "cannot be read (No such file or directory)"),
        (lambda path: path.write_bytes(b"PK"), "the file of outcomes is damaged: File is not a zip file"),
        (
            lambda path: path.write_bytes(entry(measurement=measured({"top1": hits(1)}))[1]),
            "outcomes of digits_cnn-digits are not those that its baseline names",
        ),
    ],
)
def test_outcomes_that_cannot_be_used(path, damage, message):
    baseline, packed = entry()
    Store(path).write([(baseline, packed)])
    file = next(path.with_suffix("").glob("*.npz"))
    damage(file)
    with pytest.raises(BaselineError) as caught:
        Store(path).outcomes(baseline)
    text = str(caught.value)
    assert text.startswith("outcomes of digits_cnn-digits")
    assert message in text
    remedy = f"restore __baselines__/digits/{file.name} from version control or run pytest --launcher-update"
    assert text.endswith(f": {remedy}")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_never_goes_unnoticed(path, data):
    baseline, packed = entry(measurement=measured({"top1": hits(2, n=3)}))
    Store(path).write([(baseline, packed)])
    flipped = bytearray(packed)
    flipped[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    next(path.with_suffix("").glob("*.npz")).write_bytes(flipped)
    try:
        got = Store(path).outcomes(baseline)
    except BaselineError:
        return
    assert content_hash(got) == baseline.outcomes


def written(path):
    Store(path).write([entry(KEY), entry(CUDA)])
    return path.read_text()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: "", "1:1: no valid JSON: Expecting value; restore the file from version control"),
        (lambda text: text[:60], None),
        (lambda text: "[]", '1:1: no baseline file; {"schema": 1, "baselines": […]} expected'),
        (lambda text: '{"schema": 1}', '1:1: no baseline file; {"schema": 1, "baselines": […]} expected'),
        (
            lambda text: '{"schema": 1, "baselines": [], "baselines": []}',
            '1:1: no baseline file; {"schema": 1, "baselines": […]} expected',
        ),
        (lambda text: '{"schema": 1, "baselines": {}}', '1:1: no baseline file; {"schema": 1, "baselines": […]}'),
        (
            lambda text: '{\n "baselines": [],\n "schema": 2}',
            "3:2: schema 2 found, 1 expected; update pytest-torchlauncher",
        ),
        (
            lambda text: '{\n "entries": {},\n "schema": 2}',
            "3:2: schema 2 found, 1 expected; update pytest-torchlauncher",
        ),
        (lambda text: '{"schema": 1, "baselines": [\n  7]}', "2:3: entry: baseline: 7 found, a mapping expected"),
        (
            lambda text: "<<<<<<< ours\n" + text,
            "1:1: merge conflict; resolve it, then run pytest --launcher-update",
        ),
        (
            lambda text: text.replace("  ],\n", "=======\n  ],\n"),
            ": merge conflict; resolve it, then run pytest --launcher-update",
        ),
        (
            lambda text: text.replace('"batch": 64', '"batch": 64,\n "batch": 16', 1),
            "3:5: entry: key 'batch' occurs twice in one mapping; keep one",
        ),
        (
            lambda text: text.replace('"device": "cuda"', '"device": "cpu"'),
            ": a second entry of digits_cnn-digits on cpu fp32; keep one",
        ),
        (
            lambda text: text.replace('"seed": 0', '"seed": null', 1),
            "3:5: entry: run.seed: nothing found, a whole number expected; restore the file from version control",
        ),
        (
            lambda text: text.replace('"value": 0.9944444444444445', '"value": NaN', 1),
            "3:5: entry: metrics.top1.value: nan found, a finite number expected",
        ),
    ],
)
def test_files_that_cannot_be_read(path, damage, message):
    path.parent.mkdir()
    path.write_text(damage(written(path)))
    before = path.read_bytes()
    actions = [lambda: Store(path).find(KEY), lambda: Store(path).write([entry()])]
    for action in actions:
        with pytest.raises(BaselineError) as caught:
            action()
        assert str(caught.value).startswith("__baselines__/digits.json:")
        assert (message or "no valid JSON: ") in str(caught.value)
        assert caught.value.where.file == path
    assert path.read_bytes() == before


def test_places_of_second_entries(path):
    text = written(path)
    path.write_text(text.replace('"device": "cuda"', '"device": "cpu"'))
    with pytest.raises(BaselineError) as caught:
        Store(path).find(KEY)
    where = caught.value.where
    assert (text.splitlines()[where.line - 1], where.column) == ("    {", 5)
    assert where.line > 10


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_bytes_that_are_no_text(path, content):
    path.parent.mkdir()
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(BaselineError, match=r"^__baselines__/digits.json:1:1: cannot be read: "):
        Store(path).find(KEY)


def test_files_are_on_the_disk_before_they_get_their_names(path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, n=name, call=call: (calls.append(n), call(*args)))
    Store(path).write([entry()])
    assert calls == ["fsync", "replace", "fsync"] * 2


class Killed(BaseException):
    pass


def kill_at(monkeypatch, step):
    """Make the call number `step` of any function that changes files raise; return whether that was reached."""
    state = {"calls": 0, "killed": False}

    def counted(function):
        def call(*args, **options):
            state["calls"] += 1
            if state["calls"] > step:
                state["killed"] = True
                raise Killed
            return function(*args, **options)

        return call

    for owner, name in ((os, "replace"), (os, "fsync"), (Path, "open"), (Path, "unlink"), (Path, "mkdir")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return state


def test_a_kill_at_any_step_leaves_the_old_or_the_new_pair(path):
    old, new = entry(), entry(measurement=measured({"top1": hits(359)}))
    seen = set()
    for step in range(100):
        Store(path).write([old])
        with pytest.MonkeyPatch.context() as monkeypatch:
            state = kill_at(monkeypatch, step)
            with contextlib.suppress(Killed):
                Store(path).write([new, entry(CUDA)])
        found = Store(path).find(KEY)
        assert found in (old[0], new[0])
        assert content_hash(Store(path).outcomes(found)) == found.outcomes
        assert (Store(path).find(CUDA) is not None) == (found == new[0])
        assert Store(path).anchor(KEY) == old[0]
        assert content_hash(Store(path).outcomes(old[0])) == old[0].outcomes
        seen.add(found.outcomes)
        Store(path).write([new])
        assert not [name for name in files(path) if name.endswith(".tmp")]
        assert len(list(path.with_suffix("").glob("*-cpu-*.npz"))) == 2
        if not state["killed"]:
            break
        for file in sorted(path.parent.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
    assert 10 < step < 100
    assert len(seen) == 2


SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from baseline_factories import KEY, entry, hits, measured
from dataclasses import replace
from pytest_torchlauncher.baselines.store import Store
store = Store(Path(sys.argv[2]))
"""


def script(path, body, *arguments):
    command = [sys.executable, "-c", SCRIPT + body, str(Path(__file__).parents[1]), str(path), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_real_kill_leaves_the_old_pair_and_frees_the_lock(path, call):
    Store(path).write([entry()])
    before = files(path)
    body = (
        f"os.{call} = lambda *args: os.kill(os.getpid(), signal.{signal.SIGKILL.name})\n"
        "store.write([entry(measurement=measured({'top1': hits(359)}))])\n"
    )
    process = script(path, body)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    after = files(path)
    assert [name for name in after if name not in before] == [name for name in after if name.endswith(".tmp")] != []
    assert before.items() <= after.items()
    Store(path).write([entry()])
    assert files(path) == before


def test_four_writers_at_once_lose_nothing(path):
    body = (
        "for index in range(100):\n"
        "    key = replace(KEY, model=f'{sys.argv[3]}-{index % 5}')\n"
        "    assert index == 0 or store.find(last[0].key) == last[0]\n"
        "    last = entry(key, measured({'top1': hits(index % 30, n=30)}))\n"
        "    store.write([last])\n"
    )
    writers = [script(path, body, f"writer{number}") for number in range(4)]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 4
    for number in range(4):
        for index in range(95, 100):
            baseline = Store(path).find(replace(KEY, model=f"writer{number}-{index % 5}"))
            assert baseline.metrics["top1"].value == (index % 30) / 30
            assert Store(path).outcomes(baseline)
    assert len(files(path)) == 1 + 4 * 5 * 2

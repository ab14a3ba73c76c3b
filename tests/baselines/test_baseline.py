import json
from dataclasses import replace

import pytest
from baseline_factories import DATA, ENVIRONMENT, KEY, MODEL, RUN, hits, measured, plain
from hypothesis import given
from hypothesis import strategies as st

from pytest_torchlauncher.baselines.baseline import Baseline, Key, MetricBaseline
from pytest_torchlauncher.baselines.outcomes import content_hash
from pytest_torchlauncher.errors import BaselineError
from pytest_torchlauncher.types import DataProvenance, Environment, ModelProvenance, RunProvenance

texts = st.text(max_size=8)
counts = st.integers(0, 10**6)
numbers = st.floats(allow_nan=False, allow_infinity=False)
steps = st.lists(texts, max_size=3).map(tuple)
baselines = st.builds(
    Baseline,
    key=st.builds(Key, texts, texts, texts, texts, texts),
    metrics=st.dictionaries(
        texts, st.builds(MetricBaseline, numbers, counts, st.booleans(), st.booleans(), texts), min_size=1, max_size=3
    ),
    data=st.builds(DataProvenance, counts, texts, texts, texts, texts, steps, texts, steps, steps),
    model=st.builds(ModelProvenance, texts, texts),
    run=st.builds(
        RunProvenance,
        *(counts, counts, texts, st.booleans(), st.booleans(), counts, st.booleans(), st.booleans(), steps, steps),
    ),
    environment=st.builds(Environment, *[texts] * 9),
    reason=st.none() | texts,
    previous=st.none() | st.dictionaries(texts, numbers, max_size=3),
    outcomes=texts,
    previous_outcomes=st.none() | texts,
)


@given(baselines)
def test_json_round_trip_is_exact(baseline):
    assert Baseline.from_json(json.loads(json.dumps(baseline.to_json()))) == baseline


def test_fields_that_an_older_baseline_lacks_have_their_defaults():
    raw = Baseline.of(KEY, measured()).to_json()
    del raw["data"]["inputs"], raw["run"]["channels_last"], raw["run"]["missing_keys"]
    assert Baseline.from_json(raw) == Baseline.of(KEY, measured())
    with pytest.raises(BaselineError, match=r"run\.seed: nothing found"):
        Baseline.from_json({**raw, "run": {name: value for name, value in raw["run"].items() if name != "seed"}})


def test_a_baseline_holds_what_was_measured():
    measurement = measured(
        {"top1": hits(358), "mae": plain(2.5, higher_is_better=False, bounded=False)}, {"mae": "mae()"}
    )
    baseline = Baseline.of(KEY, measurement, reason="smaller")
    assert baseline.metrics == {
        "top1": MetricBaseline(358 / 360, 360, True, True, "accuracy()"),
        "mae": MetricBaseline(2.5, 360, False, False, "mae()"),
    }
    assert (baseline.data, baseline.model, baseline.run, baseline.environment) == (DATA, MODEL, RUN, ENVIRONMENT)
    assert (baseline.reason, baseline.previous, baseline.previous_outcomes) == ("smaller", None, None)
    assert baseline.outcomes == content_hash(measurement.outcomes)


def test_hashes_stand_beside_their_texts():
    raw = Baseline.of(KEY, measured()).to_json()
    hashes = (raw["metrics"]["top1"]["definition_hash"], raw["data"]["preprocessing_hash"])
    assert all(len(value) == 16 and set(value) <= set("0123456789abcdef") for value in hashes)
    other = Baseline.of(KEY, measured(data={"preprocessing": ()})).to_json()
    assert other["data"]["preprocessing_hash"] != raw["data"]["preprocessing_hash"]


def test_names_of_a_key():
    assert (KEY.name, KEY.place) == ("digits_cnn-digits", "cpu fp32")
    assert replace(KEY, launcher="fast").name == "digits_cnn-digits-fast"


@pytest.mark.parametrize(
    ("changes", "equal"),
    [
        ({}, True),
        ({"environment": {"torch": "2.14.1"}}, True),
        ({"run": {"batch": 1}}, True),
        ({"model": {"weights": "ff"}}, False),
        ({"data": {"adapter": "other()"}}, False),
        ({"metrics": {"top1": hits(357)}}, False),
        ({"metrics": {"top1": hits(358, flipped={0: 0, 359: 1})}}, False),
        ({"definitions": {"top1": "accuracy(top_k=2)"}}, False),
    ],
)
def test_equal_baselines(changes, equal):
    assert Baseline.of(KEY, measured(**changes), reason="other").equals(Baseline.of(KEY, measured())) is equal


def damaged(*path, value):
    raw = json.loads(json.dumps(replace(Baseline.of(KEY, measured()), previous={"top1": 0.5}).to_json()))
    inner = raw
    for name in path[:-1]:
        inner = inner[name]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return raw


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "baseline: [] found, a mapping expected"),
        (damaged("key", value=None), "key: nothing found, a mapping expected"),
        (damaged("key", "model", value=3), "key.model: 3 found, text expected"),
        (damaged("data", "count", value=True), "data.count: True found, a whole number expected"),
        (damaged("data", "preprocessing", value="x"), "data.preprocessing: 'x' found, a list of texts expected"),
        (damaged("data", "preprocessing", value=[1]), "data.preprocessing: [1] found, a list of texts expected"),
        (damaged("run", "tf32", value=0), "run.tf32: 0 found, true or false expected"),
        (damaged("environment", "torch", value=None), "environment.torch: nothing found, text expected"),
        (damaged("metrics", value={}), "metrics: none found, at least one expected"),
        (damaged("metrics", "top1", value=1), "metrics.top1: 1 found, a mapping expected"),
        (damaged("metrics", "top1", "value", value="1"), "metrics.top1.value: '1' found, a finite number expected"),
        (
            damaged("metrics", "top1", "value", value=float("nan")),
            "metrics.top1.value: nan found, a finite number expected",
        ),
        (
            damaged("metrics", "top1", "value", value=float("-inf")),
            "metrics.top1.value: -inf found, a finite number expected",
        ),
        (damaged("previous_outcomes", value=1), "previous_outcomes: 1 found, text expected"),
        (damaged("previous", "top1", value=False), "previous.top1: False found, a finite number expected"),
        (damaged("reason", value=1), "reason: 1 found, text expected"),
        (damaged("outcomes", value=None), "outcomes: nothing found, text expected"),
    ],
)
def test_damaged_fields_are_named(raw, message):
    with pytest.raises(BaselineError) as caught:
        Baseline.from_json(raw)
    assert caught.value.message == f"{message}; restore the file from version control"


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("metrics", "top1", "definition"), "accuracy(top_k=5)", "metrics.top1.definition_hash"),
        (("data", "preprocessing"), [], "data.preprocessing_hash"),
    ],
)
def test_a_text_changed_by_hand_does_not_match_its_hash(path, value, name):
    with pytest.raises(BaselineError, match=rf"^{name}: '\w{{16}}' found, '\w{{16}}', the hash of the text beside it"):
        Baseline.from_json(damaged(*path, value=value))


def test_whole_numbers_are_values_too():
    assert Baseline.from_json(damaged("metrics", "top1", "value", value=1)).metrics["top1"].value == 1.0

"""Charts of a measurement."""

from dataclasses import replace

import numpy as np
from baseline_factories import hits, ids, measured
from sklearn.metrics import confusion_matrix

from pytest_torchlauncher.baselines.evidence import pack_evidence
from pytest_torchlauncher.figures.charts import charts
from pytest_torchlauncher.types import Curve, Evidence, MetricValue, Outcomes


def decided(labels, predictions, classes):
    columns = {"label": np.array(labels), "prediction": np.array(predictions)}
    measurement = measured({"top1": hits(1, len(labels))})
    outcomes = replace(measurement.outcomes, columns={**measurement.outcomes.columns, **columns})
    return replace(measurement, outcomes=outcomes, classes=classes)


def test_the_confusion_matrix_is_scikit_learns():
    rng = np.random.default_rng(3)
    labels, predictions = rng.integers(0, 7, 300), rng.integers(2, 9, 300)
    (chart,) = charts(decided(labels, predictions, {4: "four"}), None)
    assert chart["kind"] == "confusion"
    assert chart["counts"] == confusion_matrix(labels, predictions).tolist()
    assert chart["classes"] == ["0", "1", "2", "3", "four", "5", "6", "7", "8"]
    assert chart["left_out"] == 0


def test_of_many_classes_those_with_most_errors_are_shown():
    labels = np.repeat(np.arange(50), 4)
    predictions = np.where(np.isin(labels, (13, 44)), 13, labels)
    (chart,) = charts(decided(labels, predictions, {}), None)
    assert len(chart["classes"]) == 20
    assert {"13", "44"} <= set(chart["classes"])
    assert chart["left_out"] == 30
    row, column = chart["classes"].index("44"), chart["classes"].index("13")
    assert chart["counts"][row][column] == 4


def errors(values):
    return MetricValue(float(np.nanmean(values)), per_sample=np.array(values), higher_is_better=False, bounded=False)


def test_outcomes_that_are_numbers_are_counted_beside_the_baselines():
    now, before = np.array([1.0, 2.0, 2.0, 5.0, np.nan]), np.array([1.0, 1.0, 1.0, 1.0, 3.0])
    (chart,) = charts(measured({"mae": errors(now)}), Outcomes(ids(5), {"metric:mae": before}))
    assert chart["kind"] == "histogram"
    assert (chart["edges"][0], chart["edges"][-1]) == (1.0, 5.0)
    assert (sum(chart["now"]), sum(chart["before"])) == (4, 5)
    assert (chart["now"][0], chart["before"][0], chart["now"][-1]) == (1, 4, 1)


def test_right_and_wrong_or_one_value_alone_is_no_chart():
    assert list(charts(measured(), None)) == []
    assert list(charts(measured({"mae": errors([2.0, 2.0])}), None)) == []
    assert list(charts(measured({"mae": errors([np.inf, np.nan])}), None)) == []


def curve(items):
    return {"all": Curve(np.array([0.0, 1.0]), np.array([1.0, sum(items) / len(items)]))} if items else {}


def with_curves(names, items):
    value = MetricValue(0.5)
    evidence = {name: Evidence(items, sum, curve) for name in names}
    return replace(measured(dict.fromkeys(names, value)), evidence=evidence)


def test_curves_beside_the_baselines():
    stored = {f"map/{part}": array for part, array in pack_evidence([1.0, 1.0]).items()}
    (chart,) = charts(with_curves(["map"], [0.25, 0.75]), Outcomes(ids(2), {}, stored))
    assert [(c["name"], c["y"], c["is_baseline"]) for c in chart["curves"]] == [
        ("all", [1.0, 0.5], False),
        ("baseline, all", [1.0, 1.0], True),
    ]


def test_metrics_with_the_same_curves_share_a_chart():
    (chart,) = charts(with_curves(["ap", "ar"], [1.0]), None)
    assert chart["metric"] == "ap, ar"
    assert list(charts(with_curves(["ap"], []), None)) == []

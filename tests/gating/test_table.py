from baseline_factories import KEY, hits, measured, plain

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gating.judge import judge
from pytest_torchlauncher.gating.table import render


def test_the_table_is_aligned():
    baseline = Baseline.of(
        KEY,
        measured({"top1": hits(358), "mae": plain(120.0, higher_is_better=False, bounded=False), "gone": plain(0.5)}),
    )
    metrics = {
        "top1": hits(341),
        "mae": plain(119.00001, higher_is_better=False, bounded=False),
        "new": plain(0.25),
        "bad": plain(float("nan")),
    }
    verdict = judge(KEY, measured(metrics, model={"weights": "ff"}), {}, baseline)
    assert render(verdict).split("\n\n")[0].splitlines() == [
        "metric  baseline  measured    delta  allowed  verdict",
        "top1      0.9944    0.9472  -0.0472   0.0050  regressed",
        "mae     120.0000  119.0000  -1.0000   0.6000  improved",
        "new            -    0.2500        -        -  missing_baseline",
        "bad            -       nan        -        -  error",
        "gone      0.5000         -        -        -  error",
    ]


def test_digits_tell_values_apart():
    baseline = Baseline.of(KEY, measured({"m": plain(0.90001)}))
    verdict = judge(KEY, measured({"m": plain(0.90002)}), {}, baseline)
    assert render(verdict).split("\n\n")[0].splitlines() == [
        "metric  baseline  measured     delta  allowed  verdict",
        "m        0.90001   0.90002  +0.00001        0  improved",
    ]

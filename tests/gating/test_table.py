from baseline_factories import KEY, hits, measured, plain

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gate import FlipBudget, Gate
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


def test_budgets_stand_there_where_they_are_broken():
    before, after = measured({"m": hits(358)}), measured({"m": hits(340)}, model={"weights": "ff"})

    def rendered(margin, rate):
        gates = {"m": Gate(margin, flips=FlipBudget(max_negative_rate=rate))}
        return render(judge(KEY, after, gates, Baseline.of(KEY, before), before.outcomes)).split("\n\n")

    assert len(rendered(0.5, 0.5)[0].splitlines()) == 2
    table, *notes = rendered(0.01, 0.01)
    assert table.splitlines()[2:] == ["m, flips         -         -        -        -  regressed"]
    line = "m: 18 of 360 samples lost (5.00%, at most 1.00% allowed): regressed, budget of flips"
    assert line in notes
    assert line not in rendered(0.5, 0.01)[1:]

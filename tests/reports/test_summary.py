"""The summary section: columns, widths, what is shown and what is not."""

from dataclasses import dataclass, field, replace

import pytest
from page_records import metric, record

from pytest_torchlauncher.reports.terminal import write_summary


@dataclass
class Terminal:
    """Notes what is written; stands for its config and writer, too."""

    fullwidth: int = 80
    verbosity: int = 0
    lines: list[str] = field(default_factory=list)
    marked: dict[str, set[str]] = field(default_factory=dict)

    @property
    def config(self):
        return self

    def getoption(self, name):
        assert name == "verbose"
        return self.verbosity

    def get_terminal_writer(self):
        return self

    def ensure_newline(self):
        self._begun = ""

    def section(self, title):
        self.lines.append(title)

    def write(self, text, **markup):
        self.marked.setdefault(text.strip(), set()).update(markup)
        self._begun = text

    def write_line(self, text, **markup):
        self.lines.append(self._begun + text)
        self._begun = ""


def evaluation(model, status="regressed", value=0.5, baseline=0.75, **changes):
    measured = metric("top1", value, baseline, {"recorded": "missing_baseline"}.get(status, status), components={})
    fields = {
        "id": f"a.launcher.yml::{model}-data",
        "model": model,
        "message": "top1 fell",
        "metrics": (measured,),
        "changed": (),
        "provenance": "",
    }
    return record(0, status, 0, **{**fields, **changes})


def lines_of(*records, problems=(), **terminal):
    shown = Terminal(**terminal)
    write_summary(shown, records, problems)
    return shown.lines


MIXED = [
    evaluation("net"),
    evaluation("longer", "pass", 0.75),
    evaluation("cached", "pass", 0.75, cached=True),
    evaluation("new", "recorded", 0.9876, None),
    evaluation("absent", "skipped", message="no data here", metrics=()),
]


def test_one_line_an_evaluation_that_is_no_plain_pass():
    assert lines_of(*MIXED)[:6] == [
        "launcher evaluations",
        "verdict    evaluation   metric  baseline  measured    delta",
        "regressed  net-data     top1      0.7500    0.5000  -0.2500",
        "recorded   new-data     top1                0.9876         ".rstrip(),
        "skipped    absent-data  no data here",
        "2 passed, 1 of them cached; -v lists them",
    ]


def test_all_with_v():
    lines = lines_of(*MIXED, verbosity=1)
    assert "pass       longer-data  top1      0.7500    0.7500  +0.0000" in lines
    assert "cached     cached-data  top1      0.7500    0.7500  +0.0000" in lines
    assert not any("passed" in line for line in lines)


def test_the_metric_that_decides_stands_for_the_others():
    fine, worse, better = (metric(n, 0.5, b, v) for n, b, v in (("fine", 0.5, "pass"), ("bad", 0.9, "regressed"),
                                                               ("good", 0.4, "improved")))  # fmt: skip
    several = evaluation("net", metrics=(fine, better, worse))
    (line,) = [line for line in lines_of(several) if line.startswith("regressed")]
    assert line == "regressed  net-data    bad       0.9000    0.5000  -0.4000  +1 improved"
    told = replace(several, message=f"{fine['checks'][0]['reason']}: more")
    assert "  fine  " in lines_of(told)[2]


def test_all_metrics_with_vv():
    several = evaluation("net", metrics=(metric("a", 0.5, 0.5, "pass"), metric("b", 0.5, 0.9)))
    assert [line.split()[:3] for line in lines_of(several, verbosity=2)[2:4]] == [
        ["pass", "net-data", "a"],
        ["regressed", "net-data", "b"],
    ]


@pytest.mark.parametrize("width", [72, 80, 100])
def test_names_give_way_and_numbers_never(width):
    long = "a_very_long_name_of_a_network_that_says_everything_about_itself_at_once_v2"
    wide = evaluation(
        long, value=123456.78, baseline=123456.5, metrics=(metric("metric_with_a_long_name" * 2, 0.5, 0.75),)
    )
    others = [evaluation(f"{long}_absent", "skipped", message="x" * 300, metrics=()), evaluation("net")]
    lines = lines_of(wide, *others, fullwidth=width)[1:5]
    assert all(len(line) < width for line in lines)
    assert lines[1].endswith("0.7500    0.5000  -0.2500")
    assert "…" in lines[1]
    assert "-data" in lines[1]
    assert lines[2].endswith("…")
    assert lines[3].index("0.7500") == lines[1].index("0.7500")


def test_a_log_of_ci_has_room(monkeypatch):
    monkeypatch.setenv("CI", "true")
    long = evaluation("net", "skipped", message="x" * 300, metrics=())
    assert "x" * 300 in lines_of(long)[1]


def test_verdicts_are_coloured():
    shown = Terminal()
    write_summary(shown, [*MIXED, evaluation("odd", "inconclusive")], [])
    assert shown.marked == {
        "regressed": {"red"}, "recorded": {"green"}, "skipped": {"yellow"}, "inconclusive": {"yellow"},
    }  # fmt: skip


def test_commands_and_problems_stand_last():
    lines = lines_of(evaluation("net", "stale_baseline"), problems=["baselines were not written: disk full"])
    assert lines[-2].startswith("stale_baseline: if the change is meant, store the measured values with ")
    assert lines[-1] == "baselines were not written: disk full"


def test_what_changed_is_said_where_nothing_failed():
    lines = lines_of(evaluation("net", "improved", 0.9, failed=False, changed=("weights",), provenance="other weights"))
    assert "net-data: other weights" in lines

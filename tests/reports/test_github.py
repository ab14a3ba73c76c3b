import pytest

from pytest_torchlauncher.record import Record
from pytest_torchlauncher.reports.github import annotation_lines, append_step_summary
from pytest_torchlauncher.reports.markdown import render


def record(**fields):
    place = {"id": "a::net-data", "index": 0, "file": "/repo/m/a.launcher.yml", "line": 3, "model": "net"}
    facts = {"dataset": "data", "device": "cpu", "status": "regressed", "failed": True, "message": "top1 0.5\nmore"}
    return Record(**place | facts | fields)


@pytest.fixture
def in_actions(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


def test_no_annotations_elsewhere(tmp_path):
    assert annotation_lines([record()], tmp_path) == []


def test_an_annotation_names_place_and_first_line(in_actions, monkeypatch, tmp_path):
    assert annotation_lines([record()], tmp_path / "elsewhere") == [
        "::error file=/repo/m/a.launcher.yml,line=3,title=net-data::top1 0.5"
    ]
    inside = record(file=str(tmp_path / "m" / "a.yml"))
    (line,) = annotation_lines([inside], tmp_path)
    assert line.startswith("::error file=m/a.yml,line=3,")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "m"))
    (line,) = annotation_lines([inside], tmp_path)
    assert line.startswith("::error file=a.yml,line=3,")


def test_annotations_are_escaped_as_github_reads_them(in_actions, tmp_path):
    odd = record(file="/a,b:c%\n.yml", model="x,y:\r\n::error::", dataset="", message="50% a,b: c\rd")
    assert annotation_lines([odd], tmp_path) == [
        "::error file=/a%2Cb%3Ac%25%0A.yml,line=3,title=x%2Cy%3A%0D%0A%3A%3Aerror%3A%3A::50%25 a,b: c%0Dd"
    ]


def test_only_what_fails_is_an_error_and_only_what_is_unclear_a_warning(in_actions, tmp_path):
    statuses = {"pass": False, "improved": False, "skipped": False, "inconclusive": False, "missing_baseline": True}
    records = [record(status=status, failed=failed) for status, failed in statuses.items()]
    records.append(record(status="inconclusive", failed=True))
    kinds = [line.partition(" ")[0] for line in annotation_lines(records, tmp_path)]
    assert kinds == ["::error", "::error", "::warning"]


@pytest.mark.parametrize(("count", "more"), [(10, None), (11, "2 more"), (40, "31 more")])
def test_github_shows_ten(in_actions, tmp_path, count, more):
    lines = annotation_lines([record()] * count, tmp_path)
    assert len(lines) == 10
    told = more is None or lines[-1] == f"::error title=launcher evaluations::{more} are listed in the output of pytest"
    assert told


def test_a_summary_is_appended(monkeypatch, tmp_path):
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    assert append_step_summary([], []) == []
    assert not path.exists()
    path.write_text("| a table |\n|---|\n| without end |", encoding="utf-8")
    assert append_step_summary([record(model="Größe \ud800")], []) == []
    assert path.read_text(encoding="utf-8").startswith("| a table |\n|---|\n| without end |\n\n## ")


def test_a_summary_that_cannot_be_written_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    (note,) = append_step_summary([record()], [])
    assert note.startswith("GITHUB_STEP_SUMMARY was not written: ")


@pytest.mark.parametrize("before", [0, 2**20 - 3000, 2**20 - 10, 2**20 + 10])
def test_a_summary_never_outgrows_what_github_shows(monkeypatch, tmp_path, before):
    path = tmp_path / "summary.md"
    path.write_bytes(b" " * before)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    notes = append_step_summary([record(detail="é" * 5000)] * 500, [])
    assert bool(notes) == (before > 2**20 - 1000)
    assert path.stat().st_size <= max(2**20, before)
    assert path.stat().st_size > before or notes


def test_the_limit_holds_wherever_a_page_is_cut():
    records = [record(model=f"model {n}", detail="table") for n in range(6)]
    records += [record(model=f"model {n}", status="skipped", failed=False) for n in range(6)]
    whole = render(records, ["a problem"], 2**20)
    assert "left out" not in whole
    for limit in range(0, len(whole.encode()) + 1500, 7):
        page = render(records, ["a problem"], limit)
        assert len(page.encode()) <= limit
        assert (page == whole) or not page or "left out" in page

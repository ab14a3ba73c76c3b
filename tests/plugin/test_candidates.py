"""Which candidate files a run leaves, replaces and removes; records stand in for runs."""

from types import SimpleNamespace

import pytest
from baseline_factories import KEY, entry, hits, measured

from pytest_torchlauncher.baselines.baseline import Key
from pytest_torchlauncher.baselines.store import Store
from pytest_torchlauncher.record import Record, StoredEntry
from pytest_torchlauncher.reports.candidates import leave_candidates

OTHER = Key("other", "digits", "", "cpu", "fp32")


class Project:
    """A root with a cache directory, and baseline files that some run was judged against."""

    def __init__(self, folder):
        self.root = folder / "project"
        self.cache = self.root / "cache"
        self.baselines = self.root / "models" / "__baselines__" / "digits.json"
        self.copy = self.cache / "torchlauncher-candidates" / "models" / "__baselines__" / "digits.json"
        self.copies = Store(self.copy)

    def mkdir(self, name):
        (self.cache / name).mkdir(parents=True, exist_ok=True)
        return self.cache / name

    def leave(self, *records, cache=True, limit=None):
        config = SimpleNamespace(rootpath=self.root, getoption={"launcher_limit": limit}.get, getini=lambda name: "")
        if cache:
            config.cache = self
        return leave_candidates(config, records)

    def record(self, status="regressed", right=357, *, key=KEY, path=None):
        """Return what a run with `right` samples came to; only one that regressed has a candidate."""
        path = str(path or self.baselines)
        baseline, packed = entry(key, measured({"top1": hits(right)}))
        candidate = StoredEntry.of(path, baseline.to_json(), packed) if status in ("regressed", "improved") else None
        failed = status in ("regressed", "error")
        base = {"id": "x", "index": 0, "model": key.model, "dataset": key.dataset, "device": "cpu", "file": "x"}
        return Record(**base, line=1, status=status, failed=failed, message="", candidate=candidate, baselines=path)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_the_other_entries_of_the_file_come_along(project):
    Store(project.baselines).write([entry(), entry(OTHER)])
    standing = {path.name for path in project.baselines.with_suffix("").iterdir()}
    (line,) = project.leave(project.record())
    folder = project.cache / "torchlauncher-candidates"
    accept = "accept them with pytest --launcher-update, or copy them over the project"
    assert line == f"candidate baselines lie in {folder}: {accept}"
    assert project.copies.find(KEY).metrics["top1"].value == 357 / 360
    assert project.copies.anchor(KEY) == Store(project.baselines).find(KEY)
    assert project.copies.find(OTHER) == Store(project.baselines).find(OTHER)
    for baseline in (project.copies.find(KEY), project.copies.anchor(KEY), project.copies.find(OTHER)):
        assert len(project.copies.outcomes(baseline).ids) == 360
    assert len(list(project.copy.with_suffix("").iterdir())) == len(standing) + 1
    assert Store(project.baselines).find(KEY).metrics["top1"].value == 358 / 360


def test_a_candidate_replaces_that_of_an_earlier_run(project):
    project.leave(project.record(key=OTHER), project.record(right=300))
    project.leave(project.record(right=301))
    assert project.copies.keys() == (KEY,)
    assert project.copies.find(KEY).metrics["top1"].value == 301 / 360
    assert len(list(project.copy.with_suffix("").iterdir())) == 1


@pytest.mark.parametrize("status", ["pass", "improved", "updated", "error"])
def test_a_candidate_goes_with_the_next_run_of_its_file(project, status):
    project.leave(project.record())
    assert project.leave(project.record(status)) == []
    assert not project.copy.exists()
    assert not project.copy.with_suffix("").exists()


def test_a_candidate_stays_where_its_file_was_not_run(project):
    project.leave(project.record())
    project.leave(project.record("pass", path=project.baselines.with_name("other.json")))
    project.leave(project.record("skipped"))
    project.leave()
    assert project.copies.keys() == (KEY,)


def test_a_candidate_stays_where_a_part_was_run(project):
    project.leave(project.record())
    assert project.leave(project.record("pass"), project.record(right=1), limit="10%") == []
    assert project.copies.find(KEY).metrics["top1"].value == 357 / 360


def test_a_failure_beside_a_pass_leaves_a_candidate(project):
    project.leave(project.record("pass", key=OTHER), project.record())
    assert project.copies.keys() == (KEY,)


def test_evaluations_that_differ_under_one_key_leave_none(project):
    project.leave(project.record(right=300), project.record(right=301), project.record(key=OTHER))
    assert project.copies.keys() == (OTHER,)


def test_a_baseline_outside_the_project_has_a_folder_apart(project, tmp_path):
    paths = [tmp_path / name / "__baselines__" / "digits.json" for name in ("a", "b")]
    project.leave(*(project.record(path=path) for path in paths))
    folder = project.cache / "torchlauncher-candidates"
    assert len(list(folder.glob("*/__baselines__/digits.json"))) == 2
    project.leave(*(project.record("pass", path=path) for path in paths))
    assert not list(folder.rglob("*.json"))


def test_a_folder_reached_in_two_ways_has_one_candidate_file(project, tmp_path):
    Store(project.baselines).write([entry()])
    (tmp_path / "link").symlink_to(project.root, target_is_directory=True)
    linked = tmp_path / "link" / "models" / "__baselines__" / "digits.json"
    (line,) = project.leave(project.record(), project.record(key=OTHER, path=linked))
    assert line.startswith("candidate baselines lie in ")
    assert project.copies.keys() == (KEY, OTHER)


def test_what_cannot_be_written_is_one_line_where_something_failed(project):
    project.root.mkdir()
    project.cache.write_text("in the way")
    (line,) = project.leave(project.record())
    assert line.startswith("candidate baselines were not written: ")
    assert project.leave(project.record("pass")) == []


def test_a_standing_file_that_is_damaged_is_named(project):
    project.baselines.parent.mkdir(parents=True)
    project.baselines.write_text("{}")
    (line,) = project.leave(project.record())
    assert line.startswith("candidate baselines were not written: ")
    assert "digits.json:1:1: no baseline file" in line


def test_what_may_be_done_with_the_projects_files_does_not_come_along(project):
    Store(project.baselines).write([entry()])
    for path in (project.baselines, *project.baselines.with_suffix("").iterdir(), project.baselines.with_suffix("")):
        path.chmod(0o555)
    project.leave(project.record())
    copies = [project.copy, project.copy.with_suffix(""), *project.copy.with_suffix("").iterdir()]
    assert all(path.stat().st_mode & 0o200 for path in copies)


def test_without_a_cache_there_is_none(project):
    assert project.leave(project.record(), cache=False) == []
    assert not project.cache.exists()


def test_collecting_leaves_the_candidates_of_the_last_run(tiny, pytester):
    pytester.runpytest().assert_outcomes(failed=1)
    copy = pytester.path / ".pytest_cache" / "d" / "torchlauncher-candidates" / "__baselines__" / "tiny.json"
    before = copy.read_text()
    pytester.runpytest("--collect-only")
    assert copy.read_text() == before
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    assert not copy.exists()

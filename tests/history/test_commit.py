"""The commit of a folder, as git says it."""

import subprocess

import pytest

from pytest_torchlauncher.history.commit import commit_of

OTHER = "e" * 40
VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def git(folder, *arguments):
    own = ["-c", "user.name=x", "-c", "user.email=x@y.z", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with two commits; what git says of it stays in its folder."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    for message in ("one", "two"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder


def test_a_branch_a_packed_branch_and_a_detached_head(repository, monkeypatch):
    monkeypatch.setenv("GITHUB_SHA", OTHER)
    (repository / "a" / "b").mkdir(parents=True)
    assert commit_of(repository / "a" / "b") == git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all", "--prune")
    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "--detach", "HEAD~1")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_a_worktree(repository, tmp_path):
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"), "HEAD~1")
    assert commit_of(tmp_path / "side") == git(repository, "rev-parse", "HEAD~1")
    assert commit_of(tmp_path / "side") != commit_of(repository)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("content", [None, "ref: refs/heads/main", "nothing known", b"\xff"])
def test_without_a_commit_the_service_says_it(tmp_path, monkeypatch, name, content):
    folder = tmp_path / "x"
    (folder / ".git").mkdir(parents=True)
    if content is not None:
        (folder / ".git" / "HEAD").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert commit_of(folder) == ""
    monkeypatch.setenv(name, OTHER)
    assert commit_of(folder) == OTHER
    monkeypatch.setenv(name, "no hash")
    assert commit_of(folder) == ""

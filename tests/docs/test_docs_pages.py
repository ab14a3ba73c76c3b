"""Each page of the documentation runs: files are written, commands run, shown output is compared."""

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from pages import DOCS, blocks, builds_on, pages, run

from pytest_torchlauncher.registry import names
from pytest_torchlauncher.schema.launcher_files import KINDS

PAGES = {path.relative_to(DOCS).as_posix(): path for path in pages()}


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory) -> Path:
    """The project of the tutorial after all its steps."""
    folder = tmp_path_factory.mktemp("tutorial")
    run(PAGES["tutorial.md"], folder)
    return folder


def test_the_tutorial(tutorial):
    assert (tutorial / "__baselines__" / "stripes.json").is_file()


ALONE = [name for name, path in PAGES.items() if builds_on(path) is None and name != "tutorial.md"]


@pytest.mark.parametrize("name", ALONE)
def test_page_alone(name, tmp_path):
    run(PAGES[name], tmp_path)


@pytest.mark.parametrize("name", [name for name, path in PAGES.items() if builds_on(path) == "tutorial"])
def test_page_that_goes_on_from_the_tutorial(name, tutorial, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(tutorial, folder)
    run(PAGES[name], folder)


def test_what_is_not_run_says_why_and_is_counted():
    reasons = [block.note for path in PAGES.values() for block in blocks(path) if block.note and block.note != "fails"]
    assert sorted(reasons) == [
        "not run: installs from the package index",
        "not run: lists commands, which the tutorial runs",
        "not run: needs a CUDA device",
        "not run: shows a change of torch's version",
        "not run: unpacks the artifact of a run in CI",
    ]


def test_every_fence_is_found():
    for path in PAGES.values():
        assert len(re.findall(r"^```", path.read_text(), re.M)) == 2 * len(blocks(path)), path


@pytest.fixture(scope="module")
def scripts():
    """The modules that make pages and figures."""
    sys.path.insert(0, str(DOCS))
    yield importlib.import_module
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def reference(scripts):
    return scripts("_reference").pages()


def test_the_figures_are_what_the_statistics_give(scripts):
    for name, text in scripts("_figures").figures().items():
        assert (DOCS / "figures" / name).read_text() == text, "run python docs/_figures.py"
        assert f"(figures/{name})" in (DOCS / "gating.md").read_text()


def test_the_reference_has_every_block_and_option(reference):
    for kind in KINDS:
        page = reference[f"reference/{kind.kind}.md"]
        assert [name for name in names(kind.kind) if f"## `{name}`" not in page] == []
    for option in ("--launcher-html=PATH", "--launcher-schema", "`launcher_margin`", "`DATA_DIR`"):
        assert option in reference["reference/options.md"]
    assert "`state_key`" in reference["reference/file.md"]
    assert "`verdict`" in reference["reference/results.md"]


def test_the_reference_is_wholly_described(reference):
    for name, page in reference.items():
        rows = [line for line in page.splitlines() if line.startswith("| `")]
        assert [row for row in rows if row.endswith("|  |") or row.endswith("| |")] == [], name


def test_every_page_is_in_the_navigation(reference):
    def entries(part):
        if isinstance(part, str):
            yield part
        else:
            for value in part.values() if isinstance(part, dict) else part:
                yield from entries(value)

    config = yaml.safe_load((DOCS.parent / "mkdocs.yml").read_text())
    assert sorted(entries(config["nav"])) == sorted([*PAGES, *reference])

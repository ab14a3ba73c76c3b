"""The pytest plugin: options and hooks, nothing else.

Nothing heavy is imported before a launcher file is collected, and torch not before an evaluation runs.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import given_options
from .given_options import spelled
from .noted import begin, end
from .record import RECORDS
from .reports.extent import ExtentRecorder
from .reports.session import SessionReports
from .reports.transport import attach, is_cached
from .workers import lend_folder

if TYPE_CHECKING:
    from .fixture import TorchLauncher

_paused = pytest.StashKey[bool]()
_SUFFIXES = (".launcher.yml", ".launcher.yaml")

_PATHS = {
    "launcher_data_dir": "folder of datasets, for relative paths in launcher files (environment: DATA_DIR)",
    "launcher_models_dir": "folder of checkpoints, searched after the launcher file's own (environment: MODELS_DIR)",
    "launcher_annotations_dir": "folder of annotations (environment: ANNOTATIONS_DIR)",
    "launcher_definitions": "definitions file instead of the files' global_definitions (environment: DEFINITIONS_FILE)",
    "launcher_json": "write all results to this file as JSON",
    "launcher_html": "write a report of all results to this file as HTML",
}
_WORKFLOW = {
    "--launcher-record": "store baselines that are missing",
    "--launcher-update": "store what this run measures as baselines",
    "--launcher-anchor": "let the anchors move with --launcher-update",
    "--launcher-prune": "delete baselines of what no launcher file has, after a full green run",
    "--launcher-review": "ask on the terminal, metric by metric, which failing values to store",
}
_VALUES = {
    "launcher_device": (
        "DEVICES",
        "device to run on, or several with commas: cpu,cuda; the ini value where no file says",
    ),
    "launcher_compat": ("NAME", "accuracy_checker, to feed what the Accuracy Checker's code feeds, or none; likewise"),
    "launcher_limit": ("N", "samples to measure of each dataset, or a percentage: 500 or 10%"),
}
_FLAGS = {
    "launcher_require_data": "fail, not skip, where an evaluation's data is not on this machine",
    "launcher_require_device": "fail, not skip, where an evaluation's device is not on this machine",
    "launcher_cache": "do not run again what passed while nothing that it depends on changed (--cache-clear forgets)",
    "launcher_selfcheck": "look for batch dependence, randomness and a gate that sees nothing, in every evaluation",
}
_GATES = {
    "launcher_margin": "allowed drop of every metric that sets no margin of its own: 0.005 or 0.5%",
    "launcher_test": "how metrics are compared that do not say: point or paired",
    "launcher_alpha": "one-sided error rate of paired tests that set none: 0.05",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    group = parser.getgroup("torchlauncher", "accuracy of PyTorch models")
    for option, text in _WORKFLOW.items():
        group.addoption(option, action="store_true", help=text)
    group.addoption("--launcher-reason", metavar="TEXT", help="why --launcher-update may lower a metric")
    group.addoption("--launcher-calibrate", metavar="K", help="run K times more, and store how far values spread")
    for name, text in _PATHS.items():
        group.addoption(spelled(name), metavar="PATH", help=text)
        parser.addini(name, text)
    schema = "print the JSON Schema of launcher files, for editors, and end"
    group.addoption("--launcher-schema", action="store_true", help=schema)
    for name, (metavar, text) in _VALUES.items():
        group.addoption(spelled(name), metavar=metavar, help=text)
        parser.addini(name, text)
    for name, text in _FLAGS.items():
        group.addoption(spelled(name), action="store_true", default=None, help=text)
        parser.addini(name, text, type="bool", default=False)
    for name, text in _GATES.items():
        parser.addini(name, text)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Note what ``conftest.py`` files read, where a cache of results is asked for: results may depend on it."""
    begin(early_config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """End what `pytest_load_initial_conftests` began, and let garbage be collected again."""
    end(session.config)
    if session.config.stash.get(_paused, False):
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, register the mark and, except on an xdist worker, the reports.

    Raises:
        pytest.UsageError: options that exclude each other, or a value that cannot be used.
    """
    config.addinivalue_line("markers", "launcher: an evaluation of a launcher file")
    given_options.check_workflow(config)
    for name in given_options.FOLDERS:
        given_options.path(config, name, environment=False)
    for name in _FLAGS:
        given_options.flag(config, name)
    given = [config.getoption(name) is not None for name in ("launcher_calibrate", *_VALUES)]
    if any(given) or any(map(config.getini, (*_GATES, *_VALUES))):
        from .settings import ensure_runner

        ensure_runner(config)
    if config.getoption("launcher_prune"):
        config.pluginmanager.register(ExtentRecorder(), "torchlauncher-extent")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SessionReports(config), "torchlauncher-reports")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the schema instead of running anything, where it is asked for."""
    if not config.getoption("launcher_schema"):
        return None
    import json

    from .schema.launcher_files import launcher_schema

    # Not by pytest's writer: the output is the file that an editor reads.
    print(json.dumps(launcher_schema(), indent=1))
    return 0


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Lend xdist's worker the folder that all of them share."""
    lend_folder(node)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.launcher.yml`` and ``*.launcher.yaml``."""
    if not file_path.name.endswith(_SUFFIXES):
        return None
    _pause_collector(parent.config)
    from .collection import LauncherFile
    from .settings import ensure_runner

    ensure_runner(parent.config)
    return LauncherFile.from_parent(parent, path=file_path)


def _pause_collector(config: pytest.Config) -> None:
    """Keep the garbage collector from passing again and again over what files become, until all are collected."""
    if gc.isenabled():
        config.stash[_paused] = True
        config.add_cleanup(gc.enable)
        gc.disable()


@pytest.fixture
def torch_launcher(request: pytest.FixtureRequest) -> Iterator[TorchLauncher]:
    """Run launcher files from a test: ``torch_launcher("digits.launcher.yml").check()``."""
    from .fixture import bound_launchers
    from .settings import ensure_runner

    ensure_runner(request.config)
    yield from bound_launchers(request)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Drop the records of an earlier run of this item, as reruns make."""
    item.stash[RECORDS] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let an item release what it shared with others; one that was skipped never ran."""
    done = getattr(item, "done", None)
    if done and isinstance(item, pytest.Function):
        done()


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Tell an evaluation that was not run, since nothing changed, from one that passed."""
    return ("cached", "c", ("CACHED", {"green": True})) if is_cached(report) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the item's records on its report, which carries them from xdist workers to the controller."""
    report = yield
    attach(item, report)
    return report

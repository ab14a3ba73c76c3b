import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

EXAMPLE = Path(__file__).parents[2] / "example_project"


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the example project after somebody put noise on its weights, in its second run."""
    project = tmp_path_factory.mktemp("report") / "example_project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    path = project.parent / "report.html"
    command = [sys.executable, "-m", "pytest", f"--launcher-html={path}"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    for name in ("digits/weights/digits_cnn.pt", "shapes/weights/detector.pt", "shapes/weights/segmenter.pt"):
        torch.save(noisy(torch.load(project / name)), project / name)
    assert subprocess.run(command, cwd=project, capture_output=True).returncode == pytest.ExitCode.TESTS_FAILED
    return path


def noisy(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return {
        name: value + 0.25 * value.std() * torch.randn(value.shape, generator=random) if value.ndim > 1 else value
        for name, value in state.items()
    }


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium as the system has it."""
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "no chromium found; install it, or name it in CHROMIUM"
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, at the path in AXE."""
    return Path(os.environ["AXE"]).read_text("utf-8")


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: the folder in SCREENSHOTS, to be kept, or a temporary one."""
    given = os.environ.get("SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

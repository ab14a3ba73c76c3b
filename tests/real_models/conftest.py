import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def package_folder() -> Callable[[str, str], Path]:
    """Return the folder of a package, found without importing it; the test is skipped where it is not installed."""

    def find(package: str, distribution: str) -> Path:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            pytest.skip(f"{package} is not installed: pip install --no-deps {distribution}")
        return Path(spec.submodule_search_locations[0])

    return find


@pytest.fixture
def recorded_accuracy(pytester: pytest.Pytester) -> Callable[[Path], float]:
    """Record a baseline for the launcher file in pytester's folder, check that a second run passes, return the value.

    Checkpoints are looked up below the folder that is given.
    """

    def run(models: Path, *options: str) -> tuple[float, str]:
        report = pytester.path / "out.json"
        result = pytester.runpytest_subprocess(
            "-Werror", f"--launcher-models-dir={models}", f"--launcher-json={report}", *options
        )
        assert result.ret == pytest.ExitCode.OK, result.outlines
        (evaluation,) = json.loads(report.read_text())["evaluations"]
        return evaluation["metrics"][0]["value"], evaluation["status"]

    def record_and_check(models: Path) -> float:
        value, status = run(models, "--launcher-record")
        assert status == "recorded"
        assert run(models) == (value, "pass")
        return value

    return record_and_check

"""The sides of the comparison: each function runs whole processes and returns what they took."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .timing import Failed, Run, timed

# Plugins that happen to be installed beside ours are not ours to measure.
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "pytest_torchlauncher.plugin")
LOOPS = Path(__file__).parent


def ours(folder: Path, *options: str, cache: bool = False) -> Run:
    """Run pytest with this plugin alone on `folder`, with or without pytest's cache.

    Raises:
        Failed: not everything passed.
    """
    report = folder / "report.json"
    cacheless = () if cache else ("-p", "no:cacheprovider")
    run, _ = timed([*PYTEST, *cacheless, f"--launcher-json={report}", *options, "."], folder)
    answers = {}
    for evaluation in json.loads(report.read_text())["evaluations"]:
        values = {metric["name"]: metric["value"] for metric in evaluation["metrics"]}
        answers[evaluation["model"]] = (values["top1"], values["top5"])
    return Run(run.seconds, run.megabytes, answers)


def ours_from_nothing(folder: Path, *options: str) -> Run:
    """Run pytest with its cache, which is empty at the start.

    Raises:
        Failed: not everything passed.
    """
    shutil.rmtree(folder / ".pytest_cache", ignore_errors=True)
    return ours(folder, *options, cache=True)


def plugin_has(option: str, folder: Path) -> bool:
    """Return whether this version of the plugin knows `option`; `folder` has launcher files.

    Raises:
        Failed: pytest cannot collect them, for another reason.
    """
    try:
        timed([*PYTEST, "-p", "no:cacheprovider", option, "--collect-only", "."], folder)
    except Failed as failure:
        if "unrecognized arguments" in str(failure):
            return False
        raise
    return True


def loop(script: str, folder: Path, models: Sequence[str], batch: int) -> Run:
    """Run a loop of this folder, a process a model, one after the other.

    Raises:
        Failed: a process failed.
    """
    runs, answers = [], {}
    for model in models:
        run, text = timed([sys.executable, LOOPS / script, folder, model, str(batch)], folder)
        top1, top5 = map(float, text.splitlines()[-1].split())
        runs.append(run)
        answers[model] = (top1, top5)
    return Run(sum(run.seconds for run in runs), max(run.megabytes for run in runs), answers)


def accuracy_checker(folder: Path, model: str) -> Run:
    """Run the Accuracy Checker's PyTorch launcher on a model.

    Raises:
        Failed: it failed, or gave no values.
    """
    table = folder / "accuracy_checker" / f"{model}.csv"
    table.unlink(missing_ok=True)
    run, text = timed(["accuracy_check", "-c", table.with_suffix(".yml"), "--csv_result", table], folder)
    if not table.exists():
        raise Failed(f"accuracy_check gave no values of {model}\n{text[-3000:]}")
    with table.open() as file:
        values = {row["metric_name"]: float(row["metric_value"]) for row in csv.DictReader(file)}
    return Run(run.seconds, run.megabytes, {model: (values["top1"], values["top5"])})

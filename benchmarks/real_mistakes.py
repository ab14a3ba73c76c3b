"""Mistakes that people make, on the example project: what the default gate, a point gate and a paired gate say.

Mistakes of preprocessing come twice: in the launcher file, which makes the baseline stale, and in the own code of the
module, which no provenance can see and the verdict must.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

EXAMPLE = Path(__file__).parents[1] / "example_project"
GATES = {
    "default": "{}",
    "point": "{test: point, margin: 0.005}",
    "paired": "{test: paired, margin: 0.005}",
}
MODELS = {
    "digits": ("digits/digits", "top1", "digits/weights/digits_cnn.pt"),
    "detection": ("shapes/shapes_detection", "map50", "shapes/weights/detector.pt"),
    "segmentation": ("shapes/shapes_segmentation", "miou", "shapes/weights/segmenter.pt"),
}
FORWARD = {
    "digits": ("digits/digits_cnn.py", "        logits = "),
    "detection": ("shapes/shapes_nets.py", "        return [self._detections"),
    "segmentation": ("shapes/shapes_nets.py", "        coarse = "),
}


@dataclass(frozen=True)
class Mistake:
    """What somebody did: `make` changes the files of a model in a copy of the project."""

    name: str
    models: Sequence[str]
    make: Callable[[Path, str], None]


def replace(path: Path, old: str, new: str) -> None:
    """Put `new` for `old`, which must be there."""
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"{path}: {old!r} is not there")
    path.write_text(text.replace(old, new))


def launcher_files(project: Path, model: str) -> list[Path]:
    """Return the launcher files of `model`, one a gate."""
    stem = project / MODELS[model][0]
    return [stem.with_name(f"{stem.name}_{gate}.launcher.yml") for gate in GATES]


def in_file(old: str, new: str) -> Callable[[Path, str], None]:
    """Return a mistake in the launcher file."""

    def make(project: Path, model: str) -> None:
        for path in launcher_files(project, model):
            replace(path, old, new)

    return make


def in_code(old: str, new: str) -> Callable[[Path, str], None]:
    """Return a mistake in the module's code."""
    return lambda project, model: replace(project / FORWARD[model][0], old, new)


def train_mode(project: Path, model: str) -> None:
    """Leave evaluation mode before every forward pass."""
    file, line = FORWARD[model]
    replace(project / file, line, f"        self.train()\n{line}")


def noise(project: Path, model: str) -> None:
    """Change every weight by a normal share of it, of 20 %."""
    path = project / MODELS[model][2]
    torch.manual_seed(0)
    state = torch.load(path)
    noisy = {
        name: value * (1 + 0.2 * torch.randn(value.shape))
        for name, value in state.items()
        if name.endswith("weight") and value.is_floating_point()
    }
    torch.save({**state, **noisy}, path)


def batch_one(project: Path, model: str) -> None:
    """Run sample by sample instead of in batches of 64."""
    in_file("batch: 64", "batch: 1")(project, model)


EVERY = tuple(MODELS)
SHAPES = ("detection", "segmentation")
MISTAKES = [
    Mistake("missing shift, in the file", ("digits",), in_file("mean: 8, std: 16", "std: 16")),
    Mistake("missing shift, in the code", ("digits",), in_code("self.features(image + 0.5)", "self.features(image)")),
    Mistake("nearest resize, in the file", SHAPES, in_file("size: 64}", "size: 64, interpolation: nearest}")),
    Mistake(
        "nearest resize, in the code",
        ("segmentation",),
        in_code('mode="bilinear", align_corners=False', 'mode="nearest"'),
    ),
    Mistake("train mode", EVERY, train_mode),
    Mistake("20 % weight noise", EVERY, noise),
    # torchvision's nms, which the detector ends in, takes no bf16 on a CPU.
    Mistake("bf16", ("digits", "segmentation"), in_file("    batch: 64", "    precision: bf16\n    batch: 64")),
    Mistake("batch 1 instead of 64", EVERY, batch_one),
]


def prepared(project: Path) -> None:
    """Copy the example project with a launcher file a gate, and record its baselines."""
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__*", "test_*", "alexnet", ".pytest_cache"))
    (project / "digits" / "digits_fixture.launcher.yml").unlink()
    # A shift that the module expects, for somebody to forget.
    replace(project / "digits" / "digits_cnn.py", "self.features(image)", "self.features(image + 0.5)")
    replace(project / "digits" / "digits.launcher.yml", "normalization, std: 16", "normalization, mean: 8, std: 16")
    for stem, _, _ in MODELS.values():
        file = project / f"{stem}.launcher.yml"
        text = file.read_text().replace("batch: 16", "batch: 64")
        for gate, keys in GATES.items():
            copy = file.with_name(f"{Path(stem).name}_{gate}.launcher.yml")
            copy.write_text(text.replace("datasets:", f"gate: {keys}\ndatasets:"))
        file.unlink()
    run(project, "--launcher-record")


def run(project: Path, *arguments: str) -> list[dict[str, object]]:
    """Run pytest in `project`; return the evaluations of its JSON."""
    report = project / "out.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [*command, f"--launcher-json={report}", *arguments, "."], cwd=project, capture_output=True, env=environment
    )
    evaluations: list[dict[str, object]] = json.loads(report.read_text())["evaluations"]
    return evaluations


def row(mistake: str, model: str, evaluations: Sequence[dict[str, object]]) -> str:
    """Return a line of the table: the metric before and after, and what each gate says of it."""
    metric = MODELS[model][1]
    stem = Path(MODELS[model][0]).name
    verdicts, values = [], ""
    for gate in GATES:
        evaluation = next(e for e in evaluations if f"{stem}_{gate}.launcher.yml" in str(e["id"]))
        found = next(m for m in evaluation["metrics"] if m["name"] == metric)  # type: ignore[attr-defined]
        verdicts.append(found["verdict"].replace("_", " "))
        values = f"{metric} {found['baseline']:.4f} → {found['value']:.4f}"
    return f"| {mistake} | {model} | {values} | {' | '.join(verdicts)} |"


def main() -> None:
    """Print the table."""
    print(f"| mistake | model | metric | {' | '.join(GATES)} |")
    print("|---" * (3 + len(GATES)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / "clean"
        prepared(clean)
        evaluations = run(clean)
        for model in MODELS:
            print(row("none", model, evaluations), flush=True)
        for index, mistake in enumerate(MISTAKES):
            project = Path(folder) / str(index)
            shutil.copytree(clean, project)
            for model in mistake.models:
                mistake.make(project, model)
            evaluations = run(project)
            for model in mistake.models:
                print(row(mistake.name, model, evaluations), flush=True)


if __name__ == "__main__":
    main()

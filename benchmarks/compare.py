"""This package against other ways to the same numbers: one table of ratios.

    python benchmarks/compare.py [--pairs 5] [--only NAME ...]

400 JPEGs and models of torchvision with random weights, made in a temporary folder. Every side is a whole process, from
`python` to exit: it imports torch, loads the weights, decodes, runs the model, counts top-1 and top-5. The sides run in
turn (A B A B ..., or A B C A B C ... where several are compared with one of ours); a ratio is that of two of a round,
ours over the other, and the table has the median of the ratios, the least and the largest. Each side runs once before,
ours to record baselines. Every process must succeed, and the values of the sides must be equal but for one sample.

- The loop by hand is `loops/by_hand.py`: threads, OpenCV, channels-last memory; the limit that we measure ourselves
  against. The usual loop is `loops/dataloader.py`.
- pytest loads this plugin alone (`PYTEST_DISABLE_PLUGIN_AUTOLOAD=1`): what others that happen to be installed need for
  their imports is not ours to measure.
- The Accuracy Checker is `accuracy_check` of the PATH; it may be installed in an environment of its own.
- The rerun with the cache comes in turn with a first run from an empty cache, which fills it for the next rerun.
- Memory is the peak of the resident memory of the process, of images that are made one by one, 40,000 against 400.
  What is kept of each sample on purpose is counted apart, see `outcome_megabytes`.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from loops import material, sides
from loops.timing import Failed, Run, Side, check_agreement, in_turn

NAMES = ("resnet18", "mobilenet", "batch1", "dataloader", "accuracy_checker", "suite", "cache", "memory")
TITLES = {"resnet18": "ResNet-18", "mobilenet_v3_small": "MobileNetV3-Small"}
MEMORY_GOAL_MB = 30


@dataclass(frozen=True)
class Other:
    """What we are compared with: a row of the table.

    Attributes:
        name: by which `--only` selects it.
        text: how the table calls it.
        goal: the ratio that we want to stay below, where there is one.
    """

    name: str
    text: str
    run: Side
    goal: float | None = None


@dataclass(frozen=True)
class Series:
    """One work of ours, recorded once, and all that it is compared with; each round runs all of them."""

    work: str
    record: Side
    ours: Side
    others: Sequence[Other]

    def rows(self, rounds: int) -> Iterator[str]:
        """Yield the rows of the table.

        Raises:
            Failed: a process failed, or two sides disagree.
        """
        self.record()
        for other in self.others:
            other.run()
        for other, runs in zip(self.others, self._pairs(rounds), strict=True):
            for mine, its in runs:
                check_agreement(mine, its, material.IMAGES)
            ratios = [mine.seconds / its.seconds for mine, its in runs]
            seconds = [median(run.seconds for run in side) for side in zip(*runs, strict=True)]
            goal = "none" if other.goal is None else f"≤ {other.goal:.2f}"
            yield (
                f"| {self.work} over {other.text} | {seconds[0]:.2f} | {seconds[1]:.2f} | {median(ratios):.3f} "
                f"| {min(ratios):.3f}..{max(ratios):.3f} | {goal} |"
            )

    def _pairs(self, rounds: int) -> list[list[tuple[Run, Run]]]:
        """Return for each other side the pairs of runs."""
        found = in_turn([self.ours, *(other.run for other in self.others)], rounds)
        return [[(mine, others[index]) for mine, *others in found] for index in range(len(self.others))]


def series(folder: Path) -> Iterator[Series]:
    """Yield everything that is timed, on the material in `folder`."""
    for model, title in TITLES.items():
        name = "resnet18" if model == "resnet18" else "mobilenet"
        goal = 1.05 if model == "resnet18" else 1.10
        others = [
            Other(name, "the loop by hand", partial(sides.loop, "by_hand.py", folder, [model], 16), goal),
            Other(
                "dataloader", "`DataLoader` and torchmetrics", partial(sides.loop, "dataloader.py", folder, [model], 16)
            ),
            Other("accuracy_checker", "the Accuracy Checker", partial(sides.accuracy_checker, folder, model)),
        ]
        yield recorded(f"{title}, batch 16,", folder / "batch16" / model, others)
    for model, title in TITLES.items():
        by_hand = partial(sides.loop, "by_hand.py", folder, [model], 1)
        others = [Other("batch1", "the loop by hand", by_hand, 1.05)]
        yield recorded(f"{title}, batch 1,", folder / "batch1" / model, others)
    loops = Other("suite", "as many loops by hand", partial(sides.loop, "by_hand.py", folder, material.MODELS, 16), 0.7)
    yield recorded(f"{len(material.MODELS)} models in one run", folder / "batch16", [loops])
    for model, title in TITLES.items():
        project, option = folder / "cache" / model, "--launcher-cache"
        first = Other("cache", "its first run", partial(sides.ours_from_nothing, project, option), 0.15)
        record = partial(sides.ours, project, "--launcher-record")
        rerun = partial(sides.ours, project, option, cache=True)
        yield Series(f"{title}, rerun with the cache,", record, rerun, [first])


def recorded(work: str, folder: Path, others: Sequence[Other]) -> Series:
    """Return the series of the launcher files in `folder`."""
    return Series(work, partial(sides.ours, folder, "--launcher-record"), partial(sides.ours, folder), others)


def memory_rows(folder: Path, rounds: int) -> Iterator[str]:
    """Yield the row of the memory of many samples against a few.

    Raises:
        Failed: a process failed.
    """
    projects = [folder / "memory" / size for size in ("many", "few")]
    for project in projects:
        sides.ours(project, "--launcher-record")
    runs = in_turn([partial(sides.ours, project) for project in projects], rounds)
    more = [many.megabytes - few.megabytes for many, few in runs]
    many, few = (median(run.megabytes for run in side) for side in zip(*runs, strict=True))
    outcomes = outcome_megabytes(material.MANY - material.FEW)
    yield (
        f"| peak memory, {material.MANY:,} samples over {material.FEW} | {many:.0f} MB | {few:.0f} MB "
        f"| {median(more):+.1f} MB | {min(more):+.1f}..{max(more):+.1f} MB "
        f"| ≤ {MEMORY_GOAL_MB} MB beside {outcomes:.0f} MB of outcomes |"
    )


def outcome_megabytes(count: int) -> float:
    """Return an estimate of the memory of what is kept of each of `count` samples on purpose.

    That is what the verdict is made of. Of the measurement: the identifier, the digest of the content and a line of
    text that stands for the annotation; of each of two metrics the evidence (a pointer) and the outcome (float64);
    label and predicted class (int64), confidence (float32), the short digest (uint32). Of the baseline: the identifier,
    and the same columns in their smallest types.
    """
    pointer = 8
    texts = ("39999", "39999", "0" * 64, "Label(index=9)")
    columns = 2 * (pointer + 8) + 2 * 8 + 4 + 4
    baseline = 4 * 1 + 4 + 4
    return count * (sum(sys.getsizeof(text) + pointer for text in texts) + columns + baseline) / 2**20


def missing(folder: Path) -> dict[str, str]:
    """Return the names of rows that cannot be made here, and why."""
    lacks = {
        "dataloader": importlib.util.find_spec("torchmetrics") is None and "torchmetrics is not installed",
        "accuracy_checker": shutil.which("accuracy_check") is None and "the Accuracy Checker is not installed",
        "cache": not sides.plugin_has("--launcher-cache", folder / "cache") and "the plugin has no --launcher-cache",
    }
    return {name: reason for name, reason in lacks.items() if reason}


def tables(names: Sequence[str], rounds: int, folder: Path) -> Iterator[Callable[[], Iterator[str]]]:
    """Yield what makes the rows of `names`, each a work of its own that may fail."""
    for work in series(folder):
        if others := [other for other in work.others if other.name in names]:
            yield partial(replace(work, others=others).rows, rounds)
    if "memory" in names:
        yield partial(memory_rows, folder, rounds)


def main() -> int:
    """Print the table, then what is missing in it; return 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="how often both sides run")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    given = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        material.make(folder)
        lacks = missing(folder)
        print("| work | this package, s | the other, s | ratio, median | min..max | goal |\n|---|---|---|---|---|---|")
        for rows in tables([name for name in given.only if name not in lacks], given.pairs, folder):
            try:
                for row in rows():
                    print(row, flush=True)
            except Failed as failure:
                failures.append(str(failure))
    for name, reason in lacks.items():
        if name in given.only:
            print(f"\n{name}: {reason}.")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())

"""Times metrics on batches against the same counters by hand in torch, and prints how many times as long they take.

Both start from the outputs of the same batches in memory and end with the metric's value: accuracy from scores
(64, 1000), mean_iou from labels (8, 256, 256) of 21 classes. A metric notes each sample's evidence, a counter by hand
only the sum. Both ways alternate within one run, and one pair of passes gives one ratio, so that what else the machine
does hits both.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from pytest_torchlauncher.kinds import Metric
from pytest_torchlauncher.metrics.accuracy import Accuracy
from pytest_torchlauncher.metrics.mean_iou import MeanIou
from pytest_torchlauncher.types import DatasetMeta, Label, Mask, Scores

CLASSES, SEGMENTED, SIDE = 1000, 21, 256
META = DatasetMeta({index: f"class {index}" for index in range(SEGMENTED)})
Batches = Sequence[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Case:
    """A metric, the counter by hand, and the batches of annotated classes and outputs that both measure."""

    name: str
    metric: Metric[Any, Any]
    annotation: Callable[[Any], Any]
    prediction: Callable[[Any], Any]
    by_hand: Callable[[Batches], float]
    batches: Batches


def main() -> None:
    """Print a row for each metric."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each way is timed (default: %(default)s)")
    rounds = parser.parse_args().rounds
    # On batches of this size a second thread costs torch more than it saves.
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, numpy {np.__version__}, {torch.get_num_threads()} threads, {rounds} rounds\n")
    print("| metric | metric, ms a batch | torch by hand, ms | metric / by hand, median | min..max |")
    print("|---|---|---|---|---|")
    images, maps = classified(), segmented()
    for k in (1, 5):
        metric = Accuracy(top_k=k)
        print(row(Case(f"accuracy, top_k {k}", metric, Label, Scores, lambda b, k=k: top_k(b, k), images), rounds))
    print(row(Case("mean_iou", MeanIou(), Mask, Mask, mean_iou, maps), rounds))


def row(case: Case, rounds: int) -> str:
    """Return the table's row for `case`."""
    annotations = [[case.annotation(value) for value in _each(truth)] for truth, _ in case.batches]
    timed(lambda: measured(case, annotations)), timed(lambda: case.by_hand(case.batches))
    times = []
    for _ in range(rounds):
        ours, value = timed(lambda: measured(case, annotations))
        theirs, expected = timed(lambda: case.by_hand(case.batches))
        if abs(value - expected) > 1e-9:
            raise SystemExit(f"{case.name}: {value} found, {expected} expected")
        times.append((ours, theirs))
    ratios = [ours / theirs for ours, theirs in times]
    ours, theirs = (1000 * median(way) / len(case.batches) for way in zip(*times, strict=True))
    return f"| {case.name} | {ours:.3f} | {theirs:.3f} | {median(ratios):.2f} | {min(ratios):.2f}..{max(ratios):.2f} |"


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Return the seconds that `work` takes, and its value."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def measured(case: Case, annotations: Sequence[Sequence[Any]]) -> float:
    """Return the metric's value; a prediction is made of each output of a batch, as an adapter does."""
    evidence: list[Any] = []
    for truth, (_, outputs) in zip(annotations, case.batches, strict=True):
        evidence += case.metric.observe(truth, [case.prediction(value) for value in outputs.numpy()])
    return case.metric.summarize(evidence, META).value


def top_k(batches: Batches, k: int) -> float:
    """Return the fraction of the labels (B,) that are among the `k` highest scores (B, C)."""
    right = torch.zeros((), dtype=torch.int64)
    for labels, scores in batches:
        right += (scores.topk(k).indices == labels[:, None]).sum()
    return right.item() / sum(len(labels) for labels, _ in batches)


def mean_iou(batches: Batches) -> float:
    """Return the mean intersection over union of labels (B, H, W) and predicted labels (B, H, W)."""
    matrix = torch.zeros((SEGMENTED, SEGMENTED), dtype=torch.int64)
    for truth, predicted in batches:
        pairs = (truth * SEGMENTED + predicted).flatten()
        matrix += torch.bincount(pairs, minlength=SEGMENTED**2).reshape(SEGMENTED, SEGMENTED)
    shared, union = matrix.diag(), matrix.sum(0) + matrix.sum(1) - matrix.diag()
    return float((shared.double() / union)[union > 0].mean())


def classified() -> Batches:
    """Return 100 batches of labels (64,) and scores (64, 1000), about half of which name the label first."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(100):
        labels = torch.randint(CLASSES, (64,), generator=generator)
        scores = torch.randn((64, CLASSES), generator=generator)
        scores[torch.arange(64), labels] += 3
        batches.append((labels, scores))
    return batches


def segmented() -> Batches:
    """Return 20 batches of labels (8, 256, 256) and predicted ones: squares of a class, a tenth of the pixels noise."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(20):
        coarse = torch.randint(SEGMENTED, (8, 8, 8), generator=generator)
        truth = coarse.repeat_interleave(SIDE // 8, 1).repeat_interleave(SIDE // 8, 2)
        noise = torch.randint(SEGMENTED, truth.shape, generator=generator)
        is_noise = torch.rand(truth.shape, generator=generator) < 0.1
        batches.append((truth, torch.where(is_noise, noise, truth)))
    return batches


def _each(truth: torch.Tensor) -> Sequence[Any]:
    """Return what is annotated of each sample: an int, or an array."""
    return truth.tolist() if truth.ndim == 1 else list(truth.numpy())


if __name__ == "__main__":
    main()

"""The journey of a dataset through a model: this is the loop that everything else serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from ..data.batches import batches, with_arrays
from ..data.given import open_given
from ..data.prepared import prepared
from ..errors import DataError, OutputError, told
from ..launcher.launcher import Launcher, launch
from ..launcher.reproducible import SEED, reproducible
from ..options import Component
from ..plan import Amount, Evaluation
from ..types import (
    Batch,
    Dataset,
    DatasetMeta,
    Landmarks,
    Measurement,
    Named,
    Outputs,
    Pair,
    Prediction,
    Sample,
    ScoredBoxes,
    Stop,
)
from .clock import Clock
from .ledger import Ledger
from .procedure import PLAIN, Procedure, Watch
from .selfcheck import Probe
from .shared import Shared
from .thumbnails import thumbnails

__all__ = ["evaluate"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


def evaluate(
    evaluation: Evaluation, given: Any = None, procedure: Procedure = PLAIN, shared: Shared | None = None
) -> Measurement:
    """Run the model over the dataset and return what was measured.

    Args:
        evaluation: what to run.
        given: the value of the dataset's fixture, where it names one.
        procedure: whether a part is run, or something beyond.
        shared: what this evaluation has in common with others of the run.

    Raises:
        MissingDataError, MissingDeviceError: what this machine lacks.
        DataError, ModelError, OutputError: what is wrong with the dataset, the module or its outputs.
    """
    clock, shared = Clock(), shared or Shared(limit=procedure.limit)
    with clock.span("data"):
        dataset = _open(evaluation, given, procedure.limit, shared)
    ledger = Ledger(evaluation, dataset.meta, procedure.groups)
    probe = Probe(evaluation, dataset.meta) if procedure.selfcheck else None
    stop = None
    with (
        clock.entered("data", _prepared(evaluation, dataset, shared)) as samples,
        clock.entered("build", launch(evaluation.launcher, shared.models)) as launcher,
    ):
        for pairs in _judged(evaluation, samples, dataset.meta, launcher, clock):
            with clock.span("metrics"):
                ledger.add(pairs)
                stop = _stop(procedure.watch, ledger, len(pairs), dataset)
                if procedure.progress:
                    procedure.progress.seen(len(pairs), _count(dataset), ledger.running)
            if probe:
                probe.keep(pairs)
            if stop:
                break
        with clock.span("metrics"):
            measurement = ledger.measurement(launcher, clock, stop.metric if stop else None)
            positions = procedure.shown(measurement) if procedure.shown else ()
        return replace(
            measurement,
            is_subset=procedure.limit is not None and procedure.limit.leaves_out(measurement.data.count),
            reruns=_reruns(evaluation, dataset, launcher, procedure.reruns, shared),
            findings=probe.findings(launcher) if probe and not stop else (),
            control=probe.control() if probe and not stop else None,
            stopped=stop,
            thumbnails=thumbnails(dataset.samples, positions),
        )


def _open(evaluation: Evaluation, given: Any, limit: Amount | None, shared: Shared) -> Dataset:
    spec = evaluation.dataset
    if spec.fixture is None:
        return shared.opened(evaluation)
    takes = [kind for metric in evaluation.metrics for kind in metric.metric.block.takes[0]]
    return open_given(given, spec, tuple(dict.fromkeys(takes)), limit)


def _prepared(evaluation: Evaluation, dataset: Dataset, shared: Shared) -> AbstractContextManager[Iterator[Sample]]:
    steps = evaluation.dataset.preprocessing or ()
    share, batch = shared.share(evaluation), evaluation.batch
    return prepared(dataset.samples, steps, evaluation.input_size, share, batch)


def _judged(
    evaluation: Evaluation, samples: Iterable[Sample], meta: DatasetMeta, launcher: Launcher, clock: Clock
) -> Iterator[Sequence[Pair]]:
    """Yield the samples of each batch with their predictions."""
    metrics = [spec.metric for spec in evaluation.metrics]
    blocks: list[Component[Any]] = [evaluation.launcher.adapter, *(evaluation.dataset.postprocessing or ()), *metrics]
    is_own = all(component.block.is_own for component in blocks)
    for batch in clock.each("data", batches(samples, evaluation.batch, meta)):
        with clock.span("forward"):
            outputs = launcher.predict(batch)
        with clock.span("metrics"):
            pairs = _pairs(evaluation, outputs, batch if is_own else with_arrays(batch))
        yield pairs


def _stop(watch: Watch | None, ledger: Ledger, count: int, dataset: Dataset) -> Stop | None:
    """Return why the evaluation may end with the last `count` samples, if it may."""
    if watch is None:
        return None
    return watch.seen(*ledger.latest(watch.metrics, count), _count(dataset))


def _count(dataset: Dataset) -> int | None:
    """Return how many samples `dataset` has; None where nobody knows."""
    return len(dataset.samples) if isinstance(dataset.samples, Sized) else None


def _reruns(
    evaluation: Evaluation, dataset: Dataset, launcher: Launcher, count: int, shared: Shared
) -> Mapping[str, tuple[float, ...]]:
    """Return the values of every metric in `count` further runs, each with a seed of its own.

    Raises:
        DataError: the dataset gives its samples only once.
    """
    runs = []
    for seed in range(SEED + 1, SEED + 1 + count):
        ledger = Ledger(evaluation, dataset.meta)
        with reproducible(seed), _prepared(evaluation, dataset, shared) as samples:
            for pairs in _judged(evaluation, samples, dataset.meta, launcher, Clock()):
                ledger.add(pairs)
        if not ledger:
            message = "the dataset gives its samples only once, and a rerun needs them again; give a list"
            raise DataError(message, evaluation.dataset.where["fixture"])
        runs.append(ledger.values())
    return {spec.name: tuple(run[spec.name] for run in runs) for spec in evaluation.metrics} if runs else {}


def _pairs(evaluation: Evaluation, outputs: Outputs, batch: Batch) -> Sequence[Pair]:
    """Return each sample of `batch` with its prediction, after adapter and postprocessing."""
    predictions = _adapt(evaluation.launcher.adapter, outputs, batch)
    pairs = [
        Pair(sample.annotation, _placed(prediction, sample), sample, batch.meta)
        for sample, prediction in zip(batch.samples, predictions, strict=True)
    ]
    for step in evaluation.dataset.postprocessing or ():
        with told(step.name, step.where.own, OutputError):
            pairs = [_checked(step.block.apply(pair)) for pair in pairs]
    return pairs


def _placed(prediction: Prediction, sample: Sample) -> Prediction:
    """Return `prediction`; coordinates in px of an input that is the original image itself are px of that."""
    if isinstance(prediction, Named):
        return Named({name: _placed(part, sample) for name, part in prediction.parts.items()})
    unmoved = sample.geometry is not None and sample.geometry.is_unmoved
    if unmoved and isinstance(prediction, ScoredBoxes | Landmarks) and prediction.frame == "input":
        return replace(prediction, frame="original")
    return prediction


def _checked(pair: Any) -> Pair:
    if not isinstance(pair, Pair):
        raise OutputError(f"returned a {type(pair).__name__}; a Pair expected")
    return pair


def _adapt(adapter: Component[Any], outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
    with told(adapter.name, adapter.where.own, OutputError):
        predictions: Sequence[Prediction] = adapter.block.adapt(outputs, batch)
    if len(predictions) != len(batch.samples):
        message = f"{len(predictions)} predictions for a batch of {len(batch.samples)}; one a sample expected"
        raise OutputError(f"{adapter.name}: {message}", adapter.where.own)
    return predictions

"""The journey of a dataset through a model: this is the loop that everything else serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..data.batches import batches, preprocess
from ..data.given import open_given
from ..data.stored import open_stored
from ..errors import OutputError, told
from ..launcher.launcher import launch
from ..options import Component
from ..plan import Evaluation
from ..types import Batch, Dataset, Landmarks, Measurement, Named, Outputs, Pair, Prediction, Sample, ScoredBoxes
from .clock import Clock
from .ledger import Ledger

__all__ = ["evaluate"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


def evaluate(evaluation: Evaluation, given: Any = None) -> Measurement:
    """Run the model over the dataset and return what was measured.

    Args:
        evaluation: what to run.
        given: the value of the dataset's fixture, where it names one.

    Raises:
        MissingDataError, MissingDeviceError: what this machine lacks.
        DataError, ModelError, OutputError: what is wrong with the dataset, the module or its outputs.
    """
    clock = Clock()
    with clock.span("data"):
        dataset = _open(evaluation, given)
    ledger = Ledger(evaluation, dataset.meta)
    with clock.entered("build", launch(evaluation.launcher)) as launcher:
        samples = preprocess(dataset.samples, evaluation.dataset.preprocessing or (), evaluation.input_size)
        for batch in clock.each("data", batches(samples, evaluation.batch, dataset.meta)):
            with clock.span("forward"):
                outputs = launcher.predict(batch)
            with clock.span("metrics"):
                ledger.add(_pairs(evaluation, outputs, batch))
        with clock.span("metrics"):
            return ledger.measurement(launcher, clock)


def _open(evaluation: Evaluation, given: Any) -> Dataset:
    spec = evaluation.dataset
    if spec.fixture is None:
        return open_stored(spec)
    takes = [kind for metric in evaluation.metrics for kind in metric.metric.block.takes[0]]
    return open_given(given, spec, tuple(dict.fromkeys(takes)))


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

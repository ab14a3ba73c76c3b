"""One evaluation on files, against a loop written by hand."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import DataError, MissingDataError, NonFiniteError, OutputError
from pytest_torchlauncher.evaluation.clock import Clock
from pytest_torchlauncher.evaluation.decisions import decided
from pytest_torchlauncher.evaluation.evaluate import evaluate
from pytest_torchlauncher.kinds import Adapter, Postprocessor
from pytest_torchlauncher.registry import register
from pytest_torchlauncher.types import Label, Named, Pair, Sample, ScoredBoxes, Scores, Text, Values


def plan(tiny, **overrides):
    (entry,) = load_file(tiny.file, Settings(overrides=overrides)).entries
    return entry.evaluation


def by_hand(tiny):
    correct = []
    for line in (tiny.folder / "val.txt").read_text().splitlines():
        name, label = line.split()
        grey = cv2.imread(str(tiny.folder / "images" / name), cv2.IMREAD_GRAYSCALE).mean() / 255
        correct.append(int(np.argmin(np.abs(grey - np.array([0.1, 0.5, 0.9])))) == int(label))
    return np.array(correct, float)


@pytest.mark.parametrize("batch", [1, 3, 16, 64])
def test_the_batch_size_never_changes_the_result(tiny, batch):
    measurement = evaluate(plan(tiny, batch=batch))
    assert measurement.metrics["top1"].value == by_hand(tiny).mean()
    assert (measurement.outcomes.columns["metric:top1"] == by_hand(tiny)).all()
    assert measurement.outcomes.ids == tuple(f"{i:02}.png" for i in range(12))
    assert measurement.run.batch == batch


def test_outcomes_hold_label_prediction_and_confidence(tiny):
    columns = evaluate(plan(tiny)).outcomes.columns
    assert columns["label"].tolist() == [1, 1, 2] + [0, 1, 2] * 3
    assert columns["prediction"].tolist() == [0, 1, 2] * 4
    assert ((columns["confidence"] > 0.9) & (columns["confidence"] <= 1)).all()


def test_provenance_tells_what_changed(tiny):
    first = evaluate(plan(tiny))
    assert (first.data.count, first.data.preprocessing) == (
        12,
        ("opencv_imread(reading_flag=gray)", "normalization(std=255)"),
    )
    assert first.definitions == {"top1": "accuracy()"}
    assert evaluate(plan(tiny)).data == first.data
    labels = tiny.folder / "val.txt"
    labels.write_text(labels.read_text().replace("00.png 1", "00.png 0"))
    relabelled = evaluate(plan(tiny))
    assert relabelled.data.annotations != first.data.annotations
    assert (relabelled.data.content, relabelled.data.ids) == (first.data.content, first.data.ids)
    cv2.imwrite(str(tiny.folder / "images" / "00.png"), np.full((4, 4), 99, np.uint8))
    assert evaluate(plan(tiny)).data.content != first.data.content
    assert relabelled.model == first.model
    tiny.save_centers(0.1, 0.5, 0.8)
    assert evaluate(plan(tiny)).model.weights != first.model.weights


def test_seconds_add_up(tiny):
    seconds = evaluate(plan(tiny)).seconds
    parts = seconds.build + seconds.data + seconds.forward + seconds.metrics
    assert 0 < parts <= seconds.total


def test_non_finite_outputs_name_the_first_sample(tiny):
    tiny.replace("* 100", "* 100 * (1 if image.mean() < 0.5 else float('nan'))", "tiny.py")
    with pytest.raises(NonFiniteError, match=r"NaN from 02\.png on"):
        evaluate(plan(tiny, batch=1))


def test_missing_annotations_and_missing_folder(tiny):
    (tiny.folder / "val.txt").rename(tiny.folder / "kept.txt")
    with pytest.raises(MissingDataError, match=r"tiny.launcher.yml:13:28: imagenet: .*val.txt"):
        evaluate(plan(tiny))
    (tiny.folder / "kept.txt").rename(tiny.folder / "val.txt")
    tiny.replace("    data_source: images\n", "")
    with pytest.raises(DataError, match="data_source is missing; it names the folder where the images lie"):
        evaluate(plan(tiny))


def test_no_annotated_item(tiny):
    (tiny.folder / "val.txt").write_text("\n")
    with pytest.raises(DataError, match="annotation_conversion: no annotated item found"):
        evaluate(plan(tiny))


@dataclass(frozen=True, kw_only=True)
class _Broken(Adapter):
    """An adapter with a defect."""

    defect: str

    def adapt(self, outputs, batch):
        if self.defect == "raises":
            raise KeyError("boxes")
        return [Label(0)]


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        ("raises", r"test_evaluate_broken: raised KeyError: 'boxes'"),
        ("few", "test_evaluate_broken: 1 predictions for a batch of 4; one a sample expected"),
    ],
)
def test_a_broken_adapter_is_named_at_its_place(tiny, defect, message):
    register("test_evaluate_broken")(_Broken)
    tiny.replace("adapter: classification", f"adapter: {{type: test_evaluate_broken, defect: {defect}}}")
    with pytest.raises(OutputError, match=f"tiny.launcher.yml:8:14: {message}"):
        evaluate(plan(tiny))


def test_labels_outside_the_classes_are_an_error(tiny):
    labels = tiny.folder / "val.txt"
    labels.write_text(labels.read_text().replace("00.png 1", "00.png 7"))
    with pytest.raises(OutputError, match=r"tiny.launcher.yml:17:9: top1: label 7 is outside the model's 3 classes"):
        evaluate(plan(tiny))


@pytest.mark.parametrize("softmaxed", [True, False])
def test_confidence_is_the_softmax_of_logits_and_a_probability_as_it_is(softmaxed):
    logits = torch.tensor([[1.0, 3.0, -2.0], [500.0, 0.0, 1.0]])
    scores = logits.softmax(1) if softmaxed else logits
    decisions = decided([pair(Label(1), Scores(row.numpy())) for row in scores])
    assert (decisions.label.tolist(), decisions.prediction.tolist()) == ([1, 1], [1, 0])
    np.testing.assert_allclose(decisions.confidence, logits.softmax(1).amax(1), atol=1e-4)


def test_class_ids_have_confidence_one():
    decisions = decided([pair(Label(0), Label(3)), pair(Label(0), Label(0))])
    assert (decisions.prediction.tolist(), decisions.confidence.tolist()) == ([3, 0], [1, 1])


def test_only_classes_are_decided_on():
    assert decided([pair(Text("a"), Text("b"))]) is None
    assert decided([pair(Label(1), Text("b"))]) is None
    assert decided([pair(Values(np.ones(3)), Label(1))]) is None


def pair(annotation, prediction):
    return Pair(annotation, prediction, Sample("a", np.zeros((2, 2, 3)), annotation))


def test_clock_leaves_a_context_through_its_own_exit():
    seen = []

    class Context:
        def __enter__(self):
            return 1

        def __exit__(self, kind, error, trace):
            seen.append(kind)
            return False

    clock = Clock()
    with pytest.raises(ValueError, match="inside"), clock.entered("build", Context()):
        raise ValueError("inside")
    with clock.entered("build", Context()) as value:
        assert value == 1
    assert seen == [ValueError, None]


@pytest.mark.parametrize("moved", [False, True])
def test_coordinates_of_an_unmoved_input_are_the_originals(tiny, moved):
    seen = []

    @register("test_boxes")
    @dataclass(frozen=True, kw_only=True)
    class TestBoxes(Adapter):
        def adapt(self, outputs, batch):
            boxes = ScoredBoxes(np.zeros((1, 4)), np.zeros(1, int), np.ones(1), "input")
            return [Named({"boxes": boxes, "label": Label(0)}) for _ in batch.samples]

    @register("test_frames")
    @dataclass(frozen=True, kw_only=True)
    class TestFrames(Postprocessor):
        def apply(self, pair):
            seen.append(pair.prediction.parts["boxes"].frame)
            return pair

    text = tiny.file.read_text().replace("adapter: classification", "adapter: test_boxes")
    step = "- {type: resize, size: 4, interpolation: NEAREST}\n      " if moved else ""
    text = text.replace("- {type: normalization", f"{step}- {{type: normalization")
    tiny.file.write_text(text.replace("    metrics:", "    postprocessing: [test_frames]\n    metrics:"))
    if moved:
        for path in (tiny.folder / "images").iterdir():
            cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (8, 8)))
    evaluate(plan(tiny))
    assert set(seen) == {"input" if moved else "original"}

"""Models that do several tasks: each metric measures what it takes of them, or what it names."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.evaluation.evaluate import evaluate
from pytest_torchlauncher.evaluation.observation import annotation_digest
from pytest_torchlauncher.kinds import Adapter, Metric, Postprocessor
from pytest_torchlauncher.registry import register
from pytest_torchlauncher.types import Boxes, Label, MetricValue, Named, Text, Values

MODULE = """
import torch

class Two(torch.nn.Module):
    def forward(self, image):
        mean = image.mean((1, 2, 3))
        return {"size": mean, "level": mean.round()}
"""
FILE = """\
name: two
launchers:
  - {framework: pytorch, module: two.Two, python_path: ., batch: 2, adapter: test_two}
datasets:
  - name: greys
    fixture: greys
    postprocessing: [{type: test_half}]
    metrics:
METRICS
"""


@pytest.fixture(autouse=True)
def blocks():
    @register("test_two")
    @dataclass(frozen=True, kw_only=True)
    class Two(Adapter):
        def adapt(self, outputs, batch):
            sizes, levels = outputs.select("size"), outputs.select("level")
            return [
                Named({"size": Values(size), "twin": Values(size + 1), "level": Label(int(level))})
                for size, level in zip(sizes, levels, strict=True)
            ]

    @register("test_half")
    @dataclass(frozen=True, kw_only=True)
    class Half(Postprocessor):
        def apply(self, pair):
            size = pair.prediction.parts["size"].values / 2
            return replace(pair, prediction=pair.prediction.with_part("size", Values(size)))

    @register("test_gap")
    @dataclass(frozen=True, kw_only=True)
    class Gap(Metric[Values, Values]):
        def observe(self, annotations, predictions):
            return [float(abs(a.values - p.values).sum()) for a, p in zip(annotations, predictions, strict=True)]

        def summarize(self, evidence, meta):
            return MetricValue(float(np.mean(evidence)), per_sample=np.array(evidence), bounded=False)


def measured(tmp_path, *metrics):
    (tmp_path / "two.py").write_text(MODULE)
    path = tmp_path / "two.launcher.yml"
    path.write_text(FILE.replace("METRICS", "\n".join(f"      - {metric}" for metric in metrics)))
    (entry,) = load_file(path, Settings()).entries
    given = [(np.full((2, 2, 1), float(i), np.float32), {"size": float(i), "level": Label(i % 2)}) for i in range(4)]
    return evaluate(entry.evaluation, given)


def test_the_part_of_the_metrics_class_is_measured_or_the_one_that_is_named(tmp_path):
    metrics = measured(
        tmp_path,
        "{type: accuracy, name: level}",
        "{type: test_gap, name: size, prediction_source: size}",
        "{type: test_gap, name: twin, annotation_source: size, prediction_source: twin}",
    ).metrics
    assert {name: metric.value for name, metric in metrics.items()} == {"level": 0.5, "size": 0.75, "twin": 1.0}


def test_several_that_would_do_need_a_name(tmp_path):
    with pytest.raises(OutputError) as error:
        measured(tmp_path, "{type: test_gap, name: gap}")
    assert error.value.message == (
        "gap: prediction: 2 parts of type Values found among size (Values), twin (Values), level (Label); "
        "name the one that is meant: prediction_source"
    )


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            "{type: test_gap, name: gap, prediction_source: level}",
            "gap: prediction of type Label found, Values expected by this metric",
        ),
        (
            "{type: test_gap, name: gap, annotation_source: age}",
            "gap: annotation: no part is called 'age'; there are size (Values), level (Label): annotation_source",
        ),
        (
            "{type: character_recognition_accuracy, name: text}",
            "text: annotation: 0 parts of type Text found among size (Values), level (Label); "
            "name the one that is meant: annotation_source",
        ),
    ],
)
def test_what_is_named_wrong_is_told(tmp_path, metric, message):
    with pytest.raises(OutputError) as error:
        measured(tmp_path, metric)
    assert error.value.message == message


def test_a_metric_of_another_task_is_refused(tiny):
    tiny.file.write_text(tiny.file.read_text().replace("{type: accuracy, name: top1}", "{type: mae}"))
    (entry,) = load_file(tiny.file, Settings()).entries
    with pytest.raises(OutputError) as error:
        evaluate(entry.evaluation)
    assert error.value.message == (
        "mae: annotation of type Label found, Values or Matte or DepthMap or Image expected by this metric"
    )
    assert error.value.where.line == 17


def test_outcomes_of_other_tasks_are_the_metrics_alone(tmp_path):
    columns = dict(measured(tmp_path, "{type: test_gap, name: size, prediction_source: size}").outcomes.columns)
    assert len(set(columns.pop("digest"))) == 4
    assert {name: column.tolist() for name, column in columns.items()} == {"metric:size": [0, 0.5, 1, 1.5]}


def test_digests_tell_annotations_apart():
    boxes = np.array([[0.0, 0, 1, 1]])
    lines = [
        annotation_digest(annotation)
        for annotation in (
            Label(1),
            Label(2),
            Text("1"),
            Values(np.ones(2)),
            Values(np.ones((2, 1))),
            Values(np.ones(2, np.float32)),
            Boxes(boxes, np.array([1])),
            Boxes(boxes, np.array([1]), crowd=np.array([True])),
            Named({"a": Label(1)}),
            Named({"b": Label(1)}),
        )
    ]
    assert len(set(lines)) == len(lines)
    assert lines[0] == "Label(index=1)"
    assert lines[3] == annotation_digest(Values(np.ones(2)))
    assert lines[5] == f"Values(values=float32 (2,) {hashlib.sha256(np.ones(2, np.float32)).hexdigest()})"

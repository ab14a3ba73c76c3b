"""Which samples are shown, and what of them."""

import base64
import io
from dataclasses import replace

import numpy as np
from baseline_factories import hits, ids, measured
from PIL import Image

from pytest_torchlauncher.baselines.evidence import pack_evidence
from pytest_torchlauncher.figures.pictures import Showcase
from pytest_torchlauncher.gating.keeping import DRAWN
from pytest_torchlauncher.types import FULL, Drawing, MetricValue, Outcomes, Thumbnail

THUMBNAIL = Thumbnail(b"picture", (10, 20), None)


def outcomes(n=6, evidence=None, **columns):
    return Outcomes(
        ids(n), {name.replace("metric_", "metric:"): np.array(c) for name, c in columns.items()}, evidence or {}
    )


def test_lost_samples_the_surest_errors_first():
    before = outcomes(metric_top1=[1, 1, 1, 1, 0, 0])
    now = measured({"top1": hits(2, 6)})
    columns = {**now.outcomes.columns, "confidence": np.array([0.9, 0.9, 0.2, 0.8, 0.9, 0.9])}
    now = replace(now, outcomes=replace(now.outcomes, columns=columns))
    assert Showcase(before).chosen(now) == [3, 2]


def test_the_deepest_falls_first_whatever_the_direction():
    worse = MetricValue(0.0, per_sample=np.array([1.0, 5.0, 2.0, 0.5, np.nan, 1.0]), higher_is_better=False)
    before = outcomes(metric_mae=[1.0, 1.0, 1.0, 1.0, 1.0, np.nan])
    assert Showcase(before).chosen(measured({"mae": worse})) == [1, 2]


def test_a_sample_that_several_metrics_lost_is_shown_once_and_twenty_at_most():
    before = outcomes(60, metric_top1=[1] * 60, metric_top3=[1] * 60)
    chosen = Showcase(before).chosen(measured({"top1": hits(50, 60), "top3": hits(30, 60)}))
    assert sorted(chosen[:10]) == list(range(50, 60))
    assert len(set(chosen)) == len(chosen) == 20


def test_samples_are_found_by_their_names():
    before = Outcomes(tuple(reversed(ids(6))), {"metric:top1": np.array([0, 1, 1, 1, 1, 1])})
    assert sorted(Showcase(before).chosen(measured({"top1": hits(4, 6)}))) == [4]
    other = Outcomes(("another",), {"metric:top1": np.array([1])})
    assert Showcase(other).chosen(measured({"top1": hits(4, 6)})) == []


def test_classes_before_and_now():
    before = outcomes(metric_top1=[1] * 6, label=[1] * 6, prediction=[1] * 6, confidence=[0.75] * 6)
    now = measured({"top1": hits(5, 6)})
    columns = {"label": np.ones(6, int), "prediction": np.array([1, 1, 1, 1, 1, 2]), "confidence": np.full(6, 0.5)}
    now = replace(
        now,
        outcomes=replace(now.outcomes, columns={**now.outcomes.columns, **columns}),
        classes={1: "cat"},
        thumbnails={5: THUMBNAIL},
    )
    (picture,) = Showcase(before).pictures(now)
    assert picture["id"] == "0005.png"
    assert base64.b64decode(picture["image"]) == b"picture"
    assert picture["size"] == [10, 20]
    assert [picture[which]["text"] for which in ("annotated", "before", "now")] == ["cat", "cat (0.75)", "2 (0.50)"]
    assert picture["outcomes"] == [{"metric": "top1", "before": 1.0, "now": 0.0}]


def boxes(label, score):
    corners = np.array([[0, FULL // 5, FULL // 2, FULL]], np.uint16)
    return Drawing(boxes=corners, labels=np.array([label]), scores=np.array([score], np.uint8))


def test_boxes_before_and_now():
    stored = pack_evidence([None, boxes(1, 97), None, None, None, None])
    before = outcomes(metric_ap=[1.0] * 6, evidence={f"{DRAWN}/{part}": array for part, array in stored.items()})
    fallen = MetricValue(0.9, per_sample=np.array([1.0, 0.25, 1, 1, 1, 1]))
    now = replace(
        measured({"ap": fallen}),
        drawings=[None, boxes(2, 55), None, None, None, None],
        classes={1: "cat"},
        thumbnails={1: replace(THUMBNAIL, annotation=boxes(1, 100))},
    )
    (picture,) = Showcase(before).pictures(now)
    shown = {which: [box["text"] for box in picture[which]["boxes"]] for which in ("annotated", "before", "now")}
    assert shown == {"annotated": ["cat"], "before": ["cat 97%"], "now": ["2 55%"]}
    assert picture["now"]["boxes"][0]["box"] == [0.0, 0.2, 0.5, 1.0]


def test_masks_have_a_colour_for_each_class():
    mask = np.array([[0, 0, 1], [1, 255, 255]], dtype=np.uint8)
    now = replace(measured({"top1": hits(5, 6)}), drawings=[*[None] * 5, Drawing(mask=mask)], thumbnails={5: THUMBNAIL})
    (picture,) = Showcase(outcomes(metric_top1=[1] * 6)).pictures(now)
    image = np.array(Image.open(io.BytesIO(base64.b64decode(picture["now"]["mask"]))))
    assert image.shape == (2, 3, 4)
    assert (image[0, 0] == image[0, 1]).all()
    assert (image[0, 2] == image[1, 0]).all()
    assert (image[0, 0] != image[0, 2]).any()
    assert image[1, 1, 3] == 0
    assert picture["before"] == {"text": "", "boxes": [], "points": [], "mask": ""}


def test_without_thumbnails_there_are_no_pictures():
    assert Showcase(outcomes(metric_top1=[1] * 6)).pictures(measured({"top1": hits(4, 6)})) == []

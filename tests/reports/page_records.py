"""Records with everything that the report page shows, made of a seed."""

import base64
import functools

import numpy as np

from pytest_torchlauncher.evaluation.thumbnails import thumbnails
from pytest_torchlauncher.record import Record
from pytest_torchlauncher.types import Label, Sample

NASTY = "<script>alert('x')</script> & \"quotes\""


@functools.cache
def noise(seed):
    """Return a picture of an image that compresses badly."""
    image = np.random.default_rng(seed).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    (thumbnail,) = thumbnails([Sample("noise", image, Label(0))], [0]).values()
    return base64.b64encode(thumbnail.content).decode()


def drawing(text="", boxes=0):
    box = {"box": [0.1, 0.2, 0.6, 0.9], "text": f"{NASTY} 97%"}
    return {"text": text, "boxes": [box] * boxes, "points": [[0.5, 0.5]] * boxes, "mask": ""}


def picture(seed, boxes=3):
    return {
        "id": f"{NASTY}/{seed:04}.png",
        "image": noise(seed % 20),
        "size": [300, 400],
        "outcomes": [{"metric": "top1", "before": 1.0, "now": 0.0}, {"metric": "ap", "before": 0.8, "now": None}],
        "annotated": drawing("cat", boxes),
        "before": drawing("cat (0.97)", boxes),
        "now": drawing(f"{NASTY} (0.55)", boxes),
    }


def metric(name="top1", value=0.9, baseline=0.95, verdict="regressed", **changes):
    check = {"against": "baseline", "verdict": verdict, "reason": f"{name} {NASTY} fell", "allowed": 0.005}
    return {
        "name": name,
        "type": "accuracy",
        "value": value,
        "components": {f"{NASTY} {n}": n / 10 for n in range(10)},
        "higher_is_better": True,
        "baseline": baseline,
        "delta": None if None in (value, baseline) else value - baseline,
        "allowed": 0.005,
        "verdict": verdict,
        "checks": [{**check, "lower": None, "upper": None, "p_value": None, "detectable": None, "baseline": baseline}],
        **changes,
    }


def charts():
    classes = [NASTY, "two", "three"]
    line = [round(1 - n / 100, 4) for n in range(101)]
    recall = [n / 100 for n in range(101)]
    yield {"kind": "confusion", "classes": classes, "counts": [[9, 1, 0], [0, 8, 2], [0, 0, 0]], "left_out": 2}
    curves = [{"name": f"{NASTY} {n}", "x": recall, "y": line, "is_baseline": n == 6} for n in range(7)]
    yield {"kind": "curves", "metric": NASTY, "curves": curves}
    counts = {"now": [1, 5, 2], "before": [4, 4, 0]}
    yield {"kind": "histogram", "metric": NASTY, "edges": [0.0, 0.5, 1.0, 1.5], **counts}


def record(index=0, status="regressed", pictures=3, **changes):
    """Return a record of an evaluation whose every name is hostile."""
    metrics = (metric(), metric("top5", 0.99, 0.98, "improved"), metric("mae", 2.5, None, "recorded"))
    fields = {
        "id": f"tests/{NASTY}.launcher.yml::{NASTY}-data-{index}",
        "index": index,
        "model": NASTY,
        "dataset": "data",
        "device": "cpu",
        "file": f"/models/{NASTY}.launcher.yml",
        "line": 3,
        "status": status,
        "failed": status == "regressed",
        "message": f"top1 0.9, {NASTY}",
        "detail": f"a table with {NASTY}",
        "samples": 400,
        "metrics": metrics,
        "seconds": {"build": 0.5, "data": 0.25, "forward": 2.0, "metrics": 0.1, "total": 3.0},
        "changed": (f"weights {NASTY}",),
        "environment": {"torch": "2.14.1", "device_name": NASTY},
        "run": {"batch": 16, "missing_keys": [NASTY], "unexpected_keys": []},
        "provenance": f"other weights {NASTY}",
        "slices": ({"metric": "top1", "name": NASTY, "n": 60, "baseline": 0.9, "value": 0.5, "p_value": 0.001,
                    "verdict": "regressed", "delta": -0.4},),
        "charts": tuple(charts()),
        "pictures": tuple(picture(100 * index + n) for n in range(pictures)),
    }  # fmt: skip
    return Record(**{**fields, **changes})

from dataclasses import replace

import pytest
from baseline_factories import KEY, measured

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gating.changes import Changes


def since(key=KEY, stored_key=KEY, **changes):
    return Changes.since(Baseline.of(stored_key, measured()), key, measured(**changes))


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ({"count": 350}, ("samples 360 → 350",)),
        ({"ids": "ab" * 32}, ("ids changed: 1d1d1d1d → abababab",)),
        ({"content": ""}, ("content changed: c0c0c0c0 → none",)),
        ({"annotations": "ab" * 32}, ("annotations changed: a0a0a0a0 → abababab",)),
        ({"label_map": "ab" * 32}, ("label map changed: 1a1a1a1a → abababab",)),
        ({"preprocessing": ("opencv_imread()",)}, ("preprocessing changed: normalization(std=16) → none",)),
        (
            {"preprocessing": ("pillow_imread()", "normalization(std=16)")},
            ("preprocessing changed: opencv_imread() → pillow_imread()",),
        ),
        (
            {"preprocessing": ("opencv_imread()", "crop(size=8)", "bgr_to_rgb()", "normalization(std=16)")},
            ("preprocessing changed: none → crop(size=8), bgr_to_rgb()",),
        ),
        ({"adapter": "other()"}, ("adapter changed: classification() → other()",)),
        ({"postprocessing": ("nms()",)}, ("postprocessing changed: none → nms()",)),
        (
            {"count": 350, "content": "ab" * 32},
            ("samples 360 → 350", "content changed: c0c0c0c0 → abababab"),
        ),
    ],
)
def test_data_that_makes_a_baseline_stale(data, texts):
    changes = since(data=data)
    assert changes.stale("top1") == changes.all == texts


def test_a_definition_makes_its_own_metric_stale():
    changes = since(definitions={"top1": "accuracy(top_k=2)"})
    assert changes.stale("top1") == changes.all == ("definition of top1 changed: accuracy() → accuracy(top_k=2)",)
    assert changes.stale("top5") == ()


@pytest.mark.parametrize(
    ("changes", "provenance", "texts"),
    [
        ({}, "same weights, same environment", ()),
        ({"model": {"weights": "9f8e7d6c" * 8}}, "other weights", ("weights 1a2b3c4d → 9f8e7d6c",)),
        ({"model": {"config": "ab" * 32}}, "other arguments", ("config c1c1c1c1 → abababab",)),
        ({"environment": {"torch": "2.14.1"}}, "same weights, torch 2.13.0 → 2.14.1", ("torch 2.13.0 → 2.14.1",)),
        ({"environment": {"cuda": "13.0"}}, "same weights, cuda none → 13.0", ("cuda none → 13.0",)),
        ({"run": {"batch": 16}}, "same weights, batch 64 → 16", ("batch 64 → 16",)),
        ({"run": {"tf32": True}}, "same weights, tf32 False → True", ("tf32 False → True",)),
        (
            {"run": {"batch": 16}, "environment": {"cpu_capability": "AVX512"}},
            "same weights, batch 64 → 16, cpu capability AVX2 → AVX512",
            ("batch 64 → 16", "cpu capability AVX2 → AVX512"),
        ),
        (
            {"model": {"weights": "9f8e7d6c" * 8}, "environment": {"torch": "2.14.1"}},
            "other weights, torch 2.13.0 → 2.14.1",
            ("weights 1a2b3c4d → 9f8e7d6c", "torch 2.13.0 → 2.14.1"),
        ),
    ],
)
def test_what_decides_the_margin(changes, provenance, texts):
    found = since(**changes)
    assert (found.provenance, found.all, found.none) == (provenance, texts, not texts)
    assert found.stale("top1") == ()


def test_a_fallback_is_said():
    found = since(stored_key=replace(KEY, device="cuda", precision="amp"))
    assert found.all == (
        "baseline of cuda amp used: none for cpu fp32",
        "device cuda → cpu",
        "precision amp → fp32",
    )
    assert found.provenance == "same weights, device cuda → cpu, precision amp → fp32"

"""The resize step against Pillow, torchvision and torch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Label, Sample

MINIMAL = {"resize": {"size": 256}}

RNG = np.random.default_rng(0)
SIDES = st.integers(1, 700)


def sample(data, color="bgr"):
    return Sample("a.png", data, Label(0), color)


def image(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels), np.uint8)


def resized(data, **options):
    return Resize(**options).apply(sample(data)).data


def size_of(width, height, **options):
    """Return (width, height) of an image of that size after the step."""
    data = resized(np.zeros((height, width, 1), np.uint8), interpolation="nearest", use_pillow=True, **options)
    return data.shape[1], data.shape[0]


def test_opencv_linear_agrees_with_torch():
    import torch

    data = image(31, 45)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(data).permute(2, 0, 1)[None].float(), (20, 70), mode="bilinear", align_corners=False
    )[0].permute(1, 2, 0)
    ours = resized(data.astype(np.float32), dst_width=70, dst_height=20)
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    np.testing.assert_allclose(resized(data, dst_width=70, dst_height=20), expected, atol=1)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (None, cv2.INTER_LINEAR),
        ("NEAREST", cv2.INTER_NEAREST),
        ("Linear", cv2.INTER_LINEAR),
        ("bilinear", cv2.INTER_LINEAR),
        ("CUBIC", cv2.INTER_CUBIC),
        ("BICUBIC", cv2.INTER_CUBIC),
        ("AREA", cv2.INTER_AREA),
        ("LANCZOS4", cv2.INTER_LANCZOS4),
    ],
)
def test_opencv_gives_float32(name, flag):
    data = image(31, 45)
    ours = resized(data, size=16, interpolation=name)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, cv2.resize(data, (16, 16), interpolation=flag))


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (None, "BILINEAR"),
        ("none", "NEAREST"),
        ("NEAREST", "NEAREST"),
        ("linear", "BILINEAR"),
        ("BILINEAR", "BILINEAR"),
        ("CUBIC", "BICUBIC"),
        ("bicubic", "BICUBIC"),
        ("BOX", "BOX"),
        ("HAMMING", "HAMMING"),
        ("LANCZOS", "LANCZOS"),
        ("ANTIALIAS", "LANCZOS"),
    ],
)
def test_pillow_keeps_uint8_and_agrees_with_torchvision(name, mode):
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.functional import resize

    data = image(31, 45)
    expected = resize(Image.fromarray(data), [20, 70], InterpolationMode[mode])
    ours = resized(data, dst_width=70, dst_height=20, interpolation=name, use_pillow=True)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, np.asarray(expected))


@pytest.mark.parametrize("backend", ["opencv", "pillow"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1)])
def test_one_channel_keeps_its_axis(backend, shape):
    data = RNG.random(shape, np.float32)
    ours = resized(data, size=5, resize_realization=backend)
    assert (ours.shape, ours.dtype) == ((5, 5, 1), np.float32)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64", "float16", "float64", "uint16"])
def test_opencv_takes_any_number(dtype):
    data = image(9, 7).astype(dtype)
    expected = cv2.resize(data.astype(np.float32), (7, 9))
    np.testing.assert_allclose(resized(data, dst_width=7, dst_height=9), expected)


def test_the_sample_stays_and_keeps_its_color():
    data = image(4, 4)
    before = sample(data.copy(), "rgb")
    after = Resize(size=2).apply(before)
    np.testing.assert_array_equal(before.data, data)
    assert (after.identifier, after.annotation, after.color) == (before.identifier, before.annotation, "rgb")


def test_size_goes_before_width_and_height():
    assert size_of(10, 10, size=4, dst_width=7, dst_height=8) == (4, 4)


def test_the_realization_goes_before_use_pillow():
    assert resized(image(4, 4), size=2, resize_realization="opencv", use_pillow=True).dtype == np.float32
    assert resized(image(4, 4), size=2, resize_realization="pillow").dtype == np.uint8


@pytest.mark.parametrize(
    ("rule", "image_size", "target", "expected"),
    [
        (None, (500, 375), (30, 20), (30, 20)),
        ("greater", (500, 375), (256, 256), (341, 256)),
        ("greater", (375, 500), (256, 256), (256, 341)),
        ("width", (400, 200), (100, 50), (200, 50)),
        ("height", (400, 200), (100, 60), (100, 30)),
        ("fit_to_window", (500, 375), (256, 256), (256, 192)),
        ("fit_to_window", (375, 500), (300, 250), (187, 250)),
        ("frcnn_keep_aspect_ratio", (500, 375), (1000, 600), (800, 600)),
        ("frcnn_keep_aspect_ratio", (500, 100), (1000, 600), (1000, 200)),
        ("ctpn_keep_aspect_ratio", (800, 600), (600, 1000), (800, 600)),
        ("ctpn_keep_aspect_ratio", (1000, 500), (1000, 600), (1000, 500)),
        ("ctpn_keep_aspect_ratio", (333, 500), (1000, 600), (600, 901)),
        ("east_keep_aspect_ratio", (100, 70), (2400, 32), (64, 32)),
        ("east_keep_aspect_ratio", (128, 96), (32, 2400), (128, 96)),
        ("east_keep_aspect_ratio", (40, 40), (32, 2400), (32, 32)),
        ("east_keep_aspect_ratio", (480, 240), (32, 240), (192, 64)),
        ("min_ratio", (400, 300), (100, 50), (100, 75)),
        ("min_ratio", (300, 400), (100, 50), (100, 133)),
        ("mask_rcnn_benchmark_aspect_ratio", (640, 320), (800, 1333), (1600, 800)),
        ("mask_rcnn_benchmark_aspect_ratio", (300, 512), (600, 90), (90, 153)),
        ("ppcrnn_ratio", (200, 50), (100, 32), (128, 32)),
        ("ppcrnn_ratio", (100, 50), (100, 32), (64, 32)),
        ("ppcrnn_ratio", (300, 50), (100, 48), (192, 48)),
        ("ppcrnn_ratio", (101, 50), (100, 48), (97, 48)),
        ("ppocr_max_ratio", (192, 100), (96, 80), (96, 50)),
        ("ppocr_max_ratio", (90, 50), (96, 80), (90, 50)),
        ("ppocr_cls_ratio", (500, 50), (192, 48), (192, 48)),
        ("ppocr_cls_ratio", (101, 50), (192, 48), (97, 48)),
    ],
)
def test_aspect_ratio_scale(rule, image_size, target, expected):
    options = {"dst_width": target[0], "dst_height": target[1], "aspect_ratio_scale": rule}
    assert size_of(*image_size, **options) == expected


@settings(derandomize=True, deadline=None, max_examples=60)
@given(width=SIDES, height=SIDES, size=st.integers(1, 60))
def test_greater_is_the_resize_of_torchvision(width, height, size):
    from torchvision.transforms.functional import resize

    expected = resize(Image.new("L", (width, height)), size).size
    assert size_of(width, height, size=size, aspect_ratio_scale="greater") == expected


@settings(derandomize=True, deadline=None, max_examples=60)
@given(width=st.integers(20, 700), height=st.integers(20, 700), target=st.integers(40, 400))
def test_fit_to_window_fits_and_touches_a_side(width, height, target):
    fitted = size_of(width, height, size=target, aspect_ratio_scale="fit_to_window")
    assert target - 1 <= max(fitted) <= target


@pytest.mark.parametrize(("scale", "expected"), [(0.5, (50, 25)), (1.5, (151, 76)), (1, (101, 51))])
def test_scale_factor_needs_no_size(scale, expected):
    assert size_of(101, 51, aspect_ratio_scale="scale_factor", scale=scale) == expected


@pytest.mark.parametrize(("include_boundary", "expected"), [(True, (96, 64)), (False, (97, 65))])
def test_factor_lowers_the_sides(include_boundary, expected):
    options = {"size": 100, "aspect_ratio_scale": "fit_to_window", "factor": 32}
    assert size_of(200, 190 - 24, include_boundary=include_boundary, **options) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no full size found, size or both of dst_width and dst_height expected"),
        ({"dst_width": 3}, "no full size found, size or both of dst_width and dst_height expected"),
        ({"dst_height": 3}, "no full size found, size or both of dst_width and dst_height expected"),
        ({"size": 3, "resize_realization": "tf"}, "resizing by tf is not supported; use opencv or pillow"),
        ({"size": 3, "use_tensorflow": True}, "resizing by tf is not supported; use opencv or pillow"),
        ({"size": 3, "factor": 2}, "factor goes with aspect_ratio_scale only; add that, or remove factor"),
        (
            {"aspect_ratio_scale": "scale_factor"},
            "scale: None found, a number above 0 expected for scale_factor",
        ),
        (
            {"aspect_ratio_scale": "scale_factor", "scale": 0},
            "scale: 0 found, a number above 0 expected for scale_factor",
        ),
        (
            {"size": 3, "interpolation": "bicubics"},
            "interpolation: 'bicubics' is unknown to opencv; did you mean 'BICUBIC'?; "
            "there are NEAREST, LINEAR, BILINEAR, CUBIC, BICUBIC, AREA, LANCZOS4",
        ),
        (
            {"size": 3, "interpolation": "AREA", "use_pillow": True},
            "interpolation: 'AREA' is unknown to pillow; there are NEAREST, NONE, LINEAR, BILINEAR, CUBIC, BICUBIC, "
            "BOX, HAMMING, LANCZOS, ANTIALIAS",
        ),
    ],
)
def test_options_that_contradict(options, message):
    with pytest.raises(ValueError, match=r"\w") as caught:
        Resize(**options)
    assert str(caught.value) == message


def test_options_in_any_case():
    raw = {"size": 3, "aspect_ratio_scale": "GREATER", "resize_realization": "Pillow", "interpolation": "Bicubic"}
    assert resized(image(9, 12), **vars(construct(Resize, raw, Context()))).shape == (3, 4, 3)
    with pytest.raises(ValueError, match=r"'greatest' found, 'width', 'height', .* expected"):
        construct(Resize, {"size": 3, "aspect_ratio_scale": "greatest"}, Context())


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (np.zeros((4, 4, 3), np.float32), "float32 with 3 channels"),
        (np.zeros((4, 4, 1), np.float64), "float64 with 1 channels"),
        (np.zeros((4, 4, 5), np.uint8), "uint8 with 5 channels"),
    ],
)
def test_pillow_takes_uint8(data, found):
    with pytest.raises(ValueError, match="expected by Pillow") as caught:
        resized(data, size=2, use_pillow=True)
    assert str(caught.value) == (
        f"{found} found, uint8 with 1, 3 or 4 expected by Pillow; put this step before those that make floats, "
        "or use opencv"
    )


def test_nothing_may_be_left():
    with pytest.raises(ValueError, match=r"^resizing 300x2 to 100x0 leaves nothing, a pixel at least expected$"):
        resized(np.zeros((2, 300, 3), np.uint8), size=100, aspect_ratio_scale="fit_to_window")


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3, 4), (0, 4, 3)])
def test_the_data_must_be_an_image(shape):
    with pytest.raises(ValueError, match="an image") as caught:
        resized(np.zeros(shape, np.uint8), size=2)
    assert str(caught.value) == f"an array {shape} found, an image (H, W, C) expected"

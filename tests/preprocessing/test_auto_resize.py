import cv2
import numpy as np
import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.evaluation.evaluate import evaluate
from pytest_torchlauncher.input_spec import InputSpec
from pytest_torchlauncher.preprocessing.auto_resize import AutoResize
from pytest_torchlauncher.types import Label, Sample

INPUTS = "    inputs: [{name: image, type: INPUT, shape: [1, 1, 4, 4]}]\n    adapter: classification"


def test_it_stretches_to_the_size_that_the_launcher_states():
    image = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    done = AutoResize().suited_to((7, 9)).apply(Sample("a", image, Label(0)))
    np.testing.assert_array_equal(done.data, cv2.resize(image, (9, 7)).astype(np.float32))
    assert (done.geometry.current, done.resized_size) == ((7, 9), (7, 9))
    grey = AutoResize().suited_to((7, 9)).apply(Sample("a", image[..., :1], Label(0)))
    assert grey.data.shape == (7, 9, 1)


def with_auto_resize(tiny, inputs):
    text = tiny.file.read_text().replace("- {type: normalization", "- auto_resize\n      - {type: normalization")
    tiny.file.write_text(text.replace("    adapter: classification", inputs))
    for path in (tiny.folder / "images").iterdir():
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (9, 6)))
    (entry,) = load_file(tiny.file, Settings()).entries
    return entry.evaluation


def test_in_an_evaluation(tiny):
    measurement = evaluate(with_auto_resize(tiny, INPUTS))
    assert measurement.metrics["top1"].value == pytest.approx(11 / 12)
    assert measurement.data.preprocessing[1] == "auto_resize()"


def test_without_a_shape_it_says_what_to_add(tiny):
    with pytest.raises(DataError) as error:
        evaluate(with_auto_resize(tiny, "    adapter: classification"))
    assert error.value.message == (
        "auto_resize: the size of the model's image input is not known; give its inputs entry a shape such as "
        "[1, 3, 1024, 2048], or use resize"
    )


def test_outside_of_an_evaluation_it_does_nothing_silently():
    with pytest.raises(ValueError, match="auto_resize works in an evaluation only"):
        AutoResize().apply(Sample("a", np.zeros((2, 2, 3)), Label(0)))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"shape": (1, 3, 5, 6)}, (5, 6)),
        ({"shape": (3, 5, 6)}, (5, 6)),
        ({"shape": (1, 5, 6, 3), "layout": "NHWC"}, (5, 6)),
        ({"shape": (1, 3, -1, 6)}, None),
        ({"shape": (1, 5)}, None),
        ({}, None),
    ],
)
def test_the_size_is_read_by_layout(options, size):
    assert InputSpec("x", "INPUT", **options).image_size == size


def test_other_inputs_have_no_image_size():
    assert InputSpec("x", "CONST_INPUT", value=1.0, shape=(1, 3, 5, 6)).image_size is None

"""The torchvision step against torchvision's own pipelines, bit for bit."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_torchlauncher.preprocessing.torchvision import Torchvision
from pytest_torchlauncher.readers.opencv_imread import OpenCVImread
from pytest_torchlauncher.readers.pillow_imread import PillowImread
from pytest_torchlauncher.types import Label, Sample

OWN = ["torchvision"]
MINIMAL = {"torchvision": {"transforms": "package.transform"}}

RNG = np.random.default_rng(0)
RESNET18 = "torchvision.models.ResNet18_Weights.DEFAULT.transforms"
EXPECTED = "a transform, or a class or function that builds one without arguments, expected"


def write(folder: Path, name: str, mode: str = "RGB") -> Path:
    Image.fromarray(RNG.integers(0, 256, (61, 83, 3), np.uint8)).convert(mode).save(folder / name)
    return folder / name


def read(reader, file):
    data, color = reader.decode(file.read_bytes())
    return Sample(file.name, data, Label(0), color)


def expected(transform, file):
    with Image.open(file) as image:
        return transform(image.convert("RGB"))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes an importable module and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, source):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        return name

    return make


@pytest.mark.parametrize(
    "weights", ["ResNet18_Weights", "MobileNet_V3_Small_Weights", "Swin_T_Weights", "EfficientNet_B0_Weights"]
)
@pytest.mark.parametrize(
    ("name", "mode", "reader"),
    [
        ("a.png", "RGB", OpenCVImread()),
        ("a.png", "RGB", PillowImread()),
        ("a.jpg", "RGB", PillowImread()),
        ("gray.png", "L", OpenCVImread(reading_flag="gray")),
        ("gray.png", "L", PillowImread(to_rgb=False)),
        ("palette.png", "P", PillowImread()),
    ],
)
def test_equals_the_pipeline_of_the_weights(tmp_path, weights, name, mode, reader):
    import torch
    import torchvision

    file = write(tmp_path, name, mode)
    sample = read(reader, file)
    result = Torchvision(transforms=f"torchvision.models.{weights}.DEFAULT.transforms").apply(sample)
    theirs = expected(torchvision.models.get_weight(f"{weights}.DEFAULT").transforms(), file)
    assert isinstance(result.data, torch.Tensor)
    assert result.data.dtype == theirs.dtype
    assert torch.equal(result.data, theirs)
    assert result.color is None
    assert (result.identifier, result.annotation) == (sample.identifier, sample.annotation)


def test_without_a_color_the_channels_are_rgb(tmp_path):
    import torch
    from torchvision.models import ResNet18_Weights

    file = write(tmp_path, "a.png")
    with Image.open(file) as image:
        sample = Sample("a.png", np.array(image), Label(0))
    result = Torchvision(transforms=RESNET18).apply(sample).data
    assert torch.equal(result, expected(ResNet18_Weights.DEFAULT.transforms(), file))


def test_transforms_of_the_project_in_every_form(module, tmp_path):
    import torch
    from torchvision.transforms.functional import pil_to_tensor

    name = module(
        "own_transforms",
        """
        import functools

        from torchvision import transforms
        from torchvision.transforms.functional import pil_to_tensor, resize

        ready = transforms.PILToTensor()

        def function(image):
            return pil_to_tensor(image)

        def build():
            return transforms.PILToTensor()

        def with_default(image=None):
            return None if image is None else pil_to_tensor(image)

        partial = functools.partial(function)
        builder = functools.partial(transforms.PILToTensor)

        class Holder:
            inner = ready
        """,
    )
    file = write(tmp_path, "a.png")
    theirs = expected(pil_to_tensor, file)
    for form in ["ready", "function", "build", "with_default", "partial", "builder", "Holder.inner"]:
        result = Torchvision(transforms=f"{name}.{form}").apply(read(OpenCVImread(), file))
        assert torch.equal(result.data, theirs), form
    built = Torchvision(transforms="torchvision.transforms.PILToTensor").apply(read(OpenCVImread(), file))
    assert torch.equal(built.data, theirs)


def test_it_is_built_once(module, tmp_path):
    name = module(
        "counting_transforms",
        """
        from torchvision import transforms

        built = []

        def build():
            built.append(1)
            return transforms.PILToTensor()
        """,
    )
    step = Torchvision(transforms=f"{name}.build")
    sample = read(OpenCVImread(), write(tmp_path, "a.png"))
    step.apply(step.apply(sample) and sample)
    import counting_transforms

    assert counting_transforms.built == [1]


def test_a_pil_image_becomes_an_rgb_array(module, tmp_path):
    name = module(
        "pil_transforms",
        """
        def flip(image):
            return image.transpose(0)

        def gray(image):
            return image.convert("L")
        """,
    )
    file = write(tmp_path, "a.png")
    flipped = Torchvision(transforms=f"{name}.flip").apply(read(OpenCVImread(), file))
    assert flipped.color == "rgb"
    np.testing.assert_array_equal(flipped.data, expected(np.asarray, file)[:, ::-1])
    assert Torchvision(transforms=f"{name}.gray").apply(read(OpenCVImread(), file)).data.shape == (61, 83, 3)


def test_steps_follow_each_other(module, tmp_path):
    import torch
    from torchvision.transforms.functional import normalize, to_tensor

    name = module(
        "chained_transforms",
        """
        from torchvision import transforms

        first = transforms.ToTensor()
        second = transforms.Normalize([0.5] * 3, [0.25] * 3)
        """,
    )
    file = write(tmp_path, "a.png")
    sample = Torchvision(transforms=f"{name}.first").apply(read(OpenCVImread(), file))
    result = Torchvision(transforms=f"{name}.second").apply(sample).data
    assert torch.equal(result, expected(lambda image: normalize(to_tensor(image), [0.5] * 3, [0.25] * 3), file))


SAMPLE = Sample("a.png", np.zeros((4, 4, 3), np.uint8), Label(0), "rgb")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("torchvision.models.ResNet18_Weight.DEFAULT.transforms", "no part 'ResNet18_Weight'; did you mean "),
        ("torchvision.models.ResNet18_Weights.DEFAULTS.transforms", "no part 'DEFAULTS'; did you mean 'DEFAULT'?"),
        ("torchvision.models.ResNet18_Weights.DEFAULT.transfroms", "no part 'transfroms'; did you mean 'transforms'?"),
        ("torchvision.transforms.zzz", "no part 'zzz'"),
        ("no_such_package.zzz", "cannot be imported: No module named 'no_such_package'"),
        ("torchvision.transforms", f"is a module; {EXPECTED}"),
        ("torchvision.transforms.Resize", f"is a class that needs arguments or makes no callable; {EXPECTED}"),
        ("collections.OrderedDict", f"is a class that needs arguments or makes no callable; {EXPECTED}"),
        ("torchvision.__version__", f"is a str; {EXPECTED}"),
    ],
)
def test_paths_that_lead_nowhere(path, message):
    with pytest.raises(ValueError, match=r"^transforms: ") as caught:
        Torchvision(transforms=path).apply(SAMPLE)
    text = str(caught.value)
    assert path in text
    assert message in text


@pytest.mark.parametrize("path", ["", "a..b", "a.b c", "a.1"])
def test_the_path_is_dotted(path):
    with pytest.raises(ValueError, match="transforms") as caught:
        Torchvision(transforms=path)
    assert str(caught.value) == f"transforms: {path!r} found, a dotted path such as package.module.name expected"


@pytest.mark.parametrize(
    "data", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_the_data_must_be_an_image_of_uint8(data):
    with pytest.raises(ValueError, match="expected") as caught:
        Torchvision(transforms=RESNET18).apply(Sample("a.png", data, Label(0)))
    assert str(caught.value) == (
        f"an array {data.shape} {data.dtype} found, an image (H, W, 1 or 3) uint8 expected; "
        "put this step before those that make floats"
    )


def test_the_result_must_be_a_tensor_or_image():
    with pytest.raises(ValueError, match=r"^numpy\.asarray returned a ndarray, a tensor or PIL image expected$"):
        Torchvision(transforms="numpy.asarray").apply(SAMPLE)

"""P-Net, the first stage of MTCNN, on the faces and non-faces that scikit-image carries."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

PNET = """\
name: pnet
launchers:
  - framework: pytorch
    module: facenet_pytorch.models.mtcnn.PNet
    module_kwargs: {pretrained: false}
    checkpoint: data/pnet.pt
    batch: 32
    output_names: [boxes, probabilities]
    adapter: {type: classification, classification_output: probabilities}
datasets:
  - name: lfw_subset
    data_source: images
    annotation_conversion: {converter: imagenet, annotation_file: val.txt}
    preprocessing:
      - {type: resize, size: 12, interpolation: AREA}
      - {type: normalization, mean: 127.5, std: 128}
    metrics:
      - {type: accuracy, name: top1}
"""


def write_faces(source: Path, folder: Path) -> None:
    """Write 100 faces (class 1) and 100 non-faces (class 0) of 25×25 as 8-bit images of three channels."""
    import cv2

    (folder / "images").mkdir()
    lines = []
    for index, gray in enumerate(np.load(source)):
        name = f"{index:03}.png"
        pixels = (gray * 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / "images" / name), np.repeat(pixels[..., None], 3, axis=2))
        lines.append(f"{name} {int(index < 100)}\n")
    (folder / "val.txt").write_text("".join(lines))


@pytest.mark.real_models
def test_pnet_tells_faces_from_the_rest(
    pytester: pytest.Pytester,
    package_folder: Callable[[str, str], Path],
    recorded_accuracy: Callable[[Path], float],
):
    model = package_folder("facenet_pytorch", "facenet-pytorch==2.6.0")
    package_folder("requests", "requests")
    data = package_folder("skimage", "scikit-image==0.26.0")
    write_faces(data / "data" / "lfw_subset.npy", pytester.path)
    (pytester.path / "pnet.launcher.yml").write_text(PNET)
    assert recorded_accuracy(model) == 0.985

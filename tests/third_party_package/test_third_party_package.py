"""A package of somebody else adds a block of each kind, by an entry point alone."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent

MODULE = """
import torch

class Wave(torch.nn.Module):
    def forward(self, wave):
        return torch.stack(((wave.amax(1) - wave.amin(1)) / 2, wave.mean(1)), 1)
"""
FILE = """
name: wave
launchers:
  - {framework: pytorch, module: wave_module.Wave, python_path: ., batch: 2, adapter: wave_parameters}
datasets:
  - name: waves
    data_source: data
    reader: wave_reader
    annotation_conversion: {converter: wave_table, table: waves.txt}
    preprocessing: [{type: wave_gain, factor: 2}]
    postprocessing: [{type: wave_rounding}]
    metrics: [{type: wave_hits, name: hits, tolerance: 0.001}]
"""
RUN = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--launcher-record", "--launcher-json=out.json"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which pip installed the package."""
    target = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    (source / "torchlauncher_waves").mkdir()
    for name in ("pyproject.toml", "torchlauncher_waves/__init__.py"):
        (source / name).write_bytes((HERE / name).read_bytes())
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    return target


@pytest.fixture
def waves(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    lines = []
    for index, (amplitude, offset) in enumerate([(1, 0), (2, 1), (3, -1)]):
        wave = amplitude * np.sin(np.arange(256) * np.pi / 128) + offset
        (tmp_path / "data" / f"{index}.wave").write_bytes(wave.astype(np.float32).tobytes())
        lines.append(f"{index}.wave {2 * amplitude} {2 * offset if index else 9}\n")
    (tmp_path / "waves.txt").write_text("".join(lines))
    (tmp_path / "wave_module.py").write_text(MODULE)
    (tmp_path / "wave.launcher.yml").write_text(FILE)
    return tmp_path


def run(folder: Path, site: Path | None) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(site)!r})\n" if site else ""
    program += "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", program, *RUN[3:]], cwd=folder, capture_output=True, text=True)


def test_all_six_blocks_work(installed: Path, waves: Path) -> None:
    done = run(waves, installed)
    assert done.returncode == 0, done.stdout + done.stderr
    (evaluation,) = json.loads((waves / "out.json").read_text())["evaluations"]
    assert evaluation["metrics"][0]["value"] == pytest.approx(2 / 3)


def test_without_the_package_its_names_are_unknown(waves: Path) -> None:
    done = run(waves, None)
    assert done.returncode == 1
    for name in ("wave_parameters", "wave_reader", "wave_table", "wave_gain", "wave_rounding", "wave_hits"):
        assert f"unknown name '{name}'" in done.stdout

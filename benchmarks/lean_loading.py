"""Times how a model is built from a file of its state dict, lean and plain, and prints how many times faster lean is.

Both ways alternate within one run, and one pair of loads gives one ratio, so that what else the machine does hits both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torchvision import models

from pytest_torchlauncher.launcher.loading import Loaded, load_module
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

MODELS = ("resnet50", "vit_b_16")


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="how often each way is timed (default: %(default)s)")
    pairs = parser.parse_args().pairs
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {pairs} pairs\n")
    print("| model | plain, ms | lean, ms | plain / lean, median | min..max | with a pass over the weights |")
    print("|---|---|---|---|---|---|")
    for name in MODELS:
        with TemporaryDirectory() as folder:
            print(row(name, Path(folder) / f"{name}.pt", pairs), flush=True)


def row(name: str, path: Path, pairs: int) -> str:
    """Return the table's row for torchvision's builder `name`, whose state dict is put at `path`."""
    torch.save(getattr(models, name)().state_dict(), path)
    adapter: Any = None
    spec = LauncherSpec("pytorch", ModuleName(f"torchvision.models.{name}"), adapter, checkpoint=path)
    timed(spec, lean=True), timed(spec, lean=False)  # the file comes into memory, and modules are imported
    times = [(timed(spec, lean=False), timed(spec, lean=True)) for _ in range(pairs)]
    ratios = [plain[0] / lean[0] for plain, lean in times]
    passed = [plain[1] / lean[1] for plain, lean in times]
    plain, lean = (1000 * median(loads[way][0] for loads in times) for way in (0, 1))
    spread = f"{min(ratios):.1f}..{max(ratios):.1f}"
    return f"| {name} | {plain:.0f} | {lean:.0f} | {median(ratios):.1f} | {spread} | {median(passed):.1f} |"


def timed(spec: LauncherSpec, *, lean: bool) -> tuple[float, float]:
    """Return the seconds that loading takes, and those until every weight was read once as well."""
    start = time.perf_counter()
    loaded = load_module(spec, lean=lean)
    built = time.perf_counter() - start
    read(loaded)
    whole = time.perf_counter() - start
    if loaded.lean != lean:
        raise SystemExit(f"{spec.module} cannot be loaded leanly")
    return built, whole


def read(loaded: Loaded) -> None:
    """Read all weights, which a file that is mapped into memory puts off until then."""
    with torch.inference_mode():
        for tensor in loaded.module.state_dict().values():
            tensor.sum()


if __name__ == "__main__":
    main()

"""Build time of a module from a state dict: lean loading against building and copying, as a ratio within one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torchvision

from pytest_torchlauncher.launcher.loading import load_module
from pytest_torchlauncher.options import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

BUILDERS = ("resnet50", "vit_b_16")
REPETITIONS = 7


def spec_of(builder: str, folder: Path) -> LauncherSpec:
    """Return a launcher of torchvision's `builder` with a state dict of its own in `folder`."""
    path = folder / f"{builder}.pt"
    torch.save(getattr(torchvision.models, builder)().state_dict(), path)
    adapter: Any = None  # nothing is predicted here
    return LauncherSpec("pytorch", ModuleName(f"torchvision.models.{builder}"), adapter, checkpoint=path)


def seconds(spec: LauncherSpec, *, lean: bool, read: bool) -> float:
    """Return how long building and loading takes, with `read` until every weight was read once as well."""
    start = time.perf_counter()
    loaded = load_module(spec, lean=lean)
    if read:
        sum(float(tensor.sum()) for tensor in loaded.module.state_dict().values())
    spent = time.perf_counter() - start
    assert loaded.lean is lean, "lean loading was refused"
    return spent


def compare(spec: LauncherSpec, *, read: bool) -> str:
    """Return the medians of both ways, and the median and range of their ratio over pairs that ran side by side."""
    pairs = [(seconds(spec, lean=False, read=read), seconds(spec, lean=True, read=read)) for _ in range(REPETITIONS)]
    plain, lean = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [slow / fast for slow, fast in pairs]
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})"
    return f"{plain * 1000:>6.0f} ms {lean * 1000:>6.0f} ms {spread:>17}"


def main() -> None:
    """Print a row for each model, built alone and with its weights read."""
    print(f"{'model':<10} {'until':<11} {'plain':>9} {'lean':>9} {'plain / lean':>17}")
    with tempfile.TemporaryDirectory() as folder:
        for builder in BUILDERS:
            spec = spec_of(builder, Path(folder))
            seconds(spec, lean=True, read=True), seconds(spec, lean=False, read=True)
            for read, until in ((False, "built"), (True, "all is read")):
                print(f"{builder:<10} {until:<11} {compare(spec, read=read)}")


if __name__ == "__main__":
    main()

"""What a project adds to the plugin: a dataset as a fixture, and an adapter of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pytest_torchlauncher import Adapter, Batch, Outputs, Scores, register

if TYPE_CHECKING:
    import torch

DIGITS = Path(__file__).parent / "digits" / "data"


@pytest.fixture(scope="session")
def digits_held_out() -> list[tuple[torch.Tensor, int]]:
    """The 360 held-out digits as pairs (input, target): a tensor (1, 8, 8) float32 from 0 to 1, and the digit."""
    # torch is slow to import, and a run that needs no model should not wait for it.
    import torch
    from PIL import Image

    pairs = []
    for line in (DIGITS / "val.txt").read_text().splitlines():
        name, digit = line.split()
        with Image.open(DIGITS / "images" / name) as image:
            pixels = np.array(image, dtype=np.float32)
        pairs.append((torch.from_numpy(pixels / 16).unsqueeze(0), int(digit)))
    return pairs


@register("log_probabilities")
@dataclass(frozen=True, kw_only=True)
class LogProbabilities(Adapter):
    """Probabilities from a model that returns their logarithms, (B, classes) in the output called `output`.

    Args:
        output: name of the output or a regular expression for it; the first by default.
    """

    output: str | None = None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Scores]:
        return [Scores(row) for row in np.exp(outputs.select(self.output))]

"""Forty text files of numbers, what a matrix makes of them, and a checkpoint that is a little off that matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch


def make(folder: Path) -> None:
    (folder / "inp").mkdir()
    (folder / "ref").mkdir()
    rng = np.random.default_rng(7)
    matrix = np.random.default_rng(70).normal(size=(12, 4))
    for index in range(40):
        values = rng.normal(size=(3, 12)).astype(np.float32)
        np.savetxt(folder / "inp" / f"s{index:02d}.in.txt", values, fmt="%.6f")
        np.savetxt(folder / "ref" / f"s{index:02d}.out.txt", values @ matrix + rng.normal(0, 0.1, (3, 4)), fmt="%.6f")
    off = np.random.default_rng(71).normal(size=(12, 4)) * 0.03
    torch.save({"fc.weight": torch.from_numpy((matrix + off).T.astype(np.float32))}, folder / "lin.pth")

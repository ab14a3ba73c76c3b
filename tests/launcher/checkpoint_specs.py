"""What the tests of checkpoints share: a small net, launchers that load it, and what goes wrong."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.loading import Loaded, load_module
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

_KEYS = ("module", "checkpoint", "checkpoint_url", "checkpoint_sha256", "state_key", "strict")
PLACES = {key: Position(Path("net.launcher.yml"), line, 17) for line, key in enumerate(_KEYS, 4)}
AGAIN = "copy or download it again"
SAVE_STATE = "save its state dict alone: torch.save(model.state_dict(), path)"
TRUST = "or set checkpoint_weights_only: false if you trust the file"


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3)
        self.bn = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, 2)

    def forward(self, image: torch.Tensor) -> Any:
        return self.fc(self.bn(self.conv(image)).mean((2, 3)))


def spec_of(path: Path | None, module: Any = Net, **keys: Any) -> LauncherSpec:
    adapter: Any = None
    name = ModuleName(f"{module.__module__}.{module.__qualname__}")
    return LauncherSpec("pytorch", name, adapter, checkpoint=path, where=Where(keys=PLACES), **keys)


def load(path: Path | None, module: Any = Net, **keys: Any) -> Loaded:
    return load_module(spec_of(path, module, **keys))


def failure(path: Path, module: Any = Net, at: str = "checkpoint", **keys: Any) -> str:
    """Return what the error at the key `at` says of the checkpoint, after its place and name."""
    with pytest.raises(ModelError) as info:
        load(path, module, **keys)
    assert info.value.where == PLACES[at]
    assert str(info.value) == f"{PLACES[at]}: {info.value.message}"
    subject = f"checkpoint: {path} "
    assert info.value.message.startswith(subject)
    return info.value.message.removeprefix(subject)


def same(module: nn.Module, state: Any) -> bool:
    own = module.state_dict()
    return own.keys() == state.keys() and all(torch.equal(own[name], state[name]) for name in own)

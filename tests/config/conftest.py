from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import ConfigError


@pytest.fixture
def told(launcher_file: Callable[..., Path]) -> Callable[..., list[str]]:
    """Load a launcher file with problems and return them, each without the folder before its place."""

    def problems(text: str, settings: Settings | None = None) -> list[str]:
        path = launcher_file(text)
        with pytest.raises(ConfigError) as error:
            load_file(path, settings or Settings())
        return [str(problem).removeprefix(f"{path.parent}/{path.name}:") for problem in error.value.problems]

    return problems

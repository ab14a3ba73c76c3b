"""A short version of ``benchmarks/gate_simulation.py``: the paired gate errs as seldom as it says."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gate_simulation.py"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("gate_simulation", SCRIPT)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("margin", [0.0, 0.005, 0.02])
@pytest.mark.parametrize(("n", "discordance"), [(200, 0.05), (2000, 0.02), (5000, 0.1)])
def test_what_is_within_the_margin_seldom_fails(simulation, n, discordance, margin):
    rates = simulation.simulated(n, discordance, drop=margin, margin=margin)
    assert rates.paired <= simulation.BOUND
    assert rates.point > 0.35


@pytest.mark.parametrize(("discordance", "margin"), [(0.02, 0.005), (0.05, 0.01), (0.1, 0.02)])
def test_twice_the_margin_fails(simulation, discordance, margin):
    n = simulation.samples_for_twice(margin, discordance)
    assert simulation.simulated(n, discordance, 2 * margin, margin).paired >= 0.95

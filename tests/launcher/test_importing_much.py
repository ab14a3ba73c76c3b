import gc
import subprocess
import sys

import pytest

from pytest_torchlauncher.launcher.importing_much import importing_much

OF_AN_EVALUATION = """
import gc, sys, pytest
assert pytest.main(["-q", "-p", "no:cacheprovider", "--launcher-record"]) == 0
print(*(name in sys.modules for name in ("torch", "torchvision", "torch._dynamo", "sympy")), gc.get_freeze_count() > 0)
"""


def test_an_evaluation_imports_torch_and_no_more(tiny, pytester):
    command = [sys.executable, "-c", OF_AN_EVALUATION]
    done = subprocess.run(command, capture_output=True, text=True, cwd=pytester.path, check=True)
    assert done.stdout.splitlines()[-1] == "True False False False True"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_the_collector_is_as_it_was(fails, enabled, request):
    request.addfinalizer(gc.enable)
    (gc.enable if enabled else gc.disable)()
    try:
        with importing_much():
            assert not gc.isenabled()
            if fails:
                raise ImportError
    except ImportError:
        assert fails
    assert gc.isenabled() == enabled


def test_nothing_is_frozen_where_nothing_large_was_imported():
    before = gc.get_freeze_count()
    with importing_much():
        pass
    assert gc.get_freeze_count() == before

import pytest
import torch

from pytest_torchlauncher.cores import cores
from pytest_torchlauncher.launcher.threads import divided_threads


@pytest.fixture(autouse=True)
def four_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(8), raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("workers", "threads", "share"), [("1", 4, 8), ("2", 2, 4), ("3", 1, 2), ("16", 1, 1)])
def test_workers_divide_cores_and_threads(monkeypatch, workers, threads, share):
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", workers)
    assert cores() == share
    with divided_threads():
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 4


def test_a_number_that_the_user_gave_holds(monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    with divided_threads():
        assert torch.get_num_threads() == 4

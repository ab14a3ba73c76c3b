import threading
import time

import pytest

from pytest_torchlauncher.data.ahead import Ahead
from pytest_torchlauncher.data.pace import Pace


def job(value, seconds=0.0):
    def run():
        time.sleep(seconds)
        if isinstance(value, Exception):
            raise value
        return value

    return run


@pytest.mark.parametrize(("depth", "workers"), [(1, 1), (2, 4), (9, 3), (50, 1)])
def test_results_come_in_order_whoever_is_first(depth, workers):
    jobs = [job(i, 0.003 * (i % 3 == 0)) for i in range(40)]
    with Ahead(jobs, depth, workers) as ahead:
        assert list(ahead) == list(range(40))


def test_no_more_jobs_are_taken_than_its_depth():
    taken = []

    def jobs():
        for i in range(20):
            taken.append(i)
            yield job(i)

    with Ahead(jobs(), 4, 2) as ahead:
        for result in ahead:
            assert len(taken) <= result + 5


def test_jobs_begin_before_anybody_asks():
    begun = threading.Event()
    with Ahead([begun.set], 2, 1):
        assert begun.wait(10)


def test_the_first_failure_is_told_at_once():
    slow, done = job(ValueError("second"), 0.2), threading.Event()
    jobs = [job("zeroth"), job("first"), slow, job(ValueError("third")), done.set]
    with Ahead(jobs, 8, 4) as ahead:
        assert done.wait(10)
        time.sleep(0.05)
        # Neither the result that is there, nor the failure that came first in time.
        with pytest.raises(ValueError, match="second"):
            next(iter(ahead))


def test_jobs_that_nobody_needs_are_not_run():
    ran = []

    def note(i):
        def run():
            time.sleep(0.01)
            ran.append(i)

        return run

    with Ahead(map(note, range(100)), 90, 2) as ahead:
        next(iter(ahead))
    assert len(ran) < 20
    assert threading.active_count() < 50


def test_jobs_wait_for_a_break_where_they_disturb():
    running, beside, lock = [0], [], threading.Lock()

    def run():
        with lock:
            running[0] += 1
        time.sleep(0.006)
        with lock:
            running[0] -= 1

    with Ahead([run] * 60, 12, 2, trial=3) as ahead:
        for _ in ahead:
            time.sleep(0.012)  # jobs that began in the break are done
            beside.append(running[0])
            time.sleep(0.04 if running[0] else 0)
    assert max(beside[:3])
    assert not any(beside[20:])


def test_jobs_run_beside_work_that_they_do_not_disturb():
    pace = Pace(2, trial=2)
    for beside, work in ((2, 0.1), (2, 0.1), (0, 0.1), (0, 0.1)):
        assert pace.beside() == beside
        pace.made(0.02)
        pace.worked(beside, work)
    assert pace.beside() == 2


@pytest.mark.parametrize(("delay", "beside"), [(0.004, 2), (0.02, 0)])
def test_a_delay_counts_against_a_break_on_all_cores(delay, beside):
    pace = Pace(2, trial=1)
    pace.made(0.01)
    pace.worked(pace.beside(), 0.1 + delay)
    pace.worked(pace.beside(), 0.1)
    assert pace.beside() == beside


def test_no_more_jobs_run_than_are_allowed():
    running, most, lock = [0], [0], threading.Lock()

    def run():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.005)
        with lock:
            running[0] -= 1

    with Ahead([run] * 30, 12, 3) as ahead:
        list(ahead)
    assert most[0] <= 3


def test_no_job_begins_while_results_take_too_much_but_the_next_one():
    begun = []

    def make(i):
        def run():
            begun.append(i)
            return i

        return run

    with Ahead([make(i) for i in range(20)], 20, 1, weigh=lambda result: 10, budget=25) as ahead:
        time.sleep(0.1)
        assert begun == [0, 1, 2]
        assert list(ahead) == list(range(20))


def test_a_job_that_hangs_does_not_hold_up_an_exception():
    release = threading.Event()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Ahead([release.wait], 1, 1):
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 30
    release.set()

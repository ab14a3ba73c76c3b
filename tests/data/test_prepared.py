import random
import threading
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch

from pytest_torchlauncher.data.chance import draws
from pytest_torchlauncher.data.prepared import prepared
from pytest_torchlauncher.data.stored import open_stored
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Converter, Preprocessor
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.plan import DatasetSpec
from pytest_torchlauncher.types import Annotated, Annotations, Label, Sample

COUNT = 70


@dataclass(frozen=True)
class Many(Converter):
    def convert(self):
        return Annotations([Annotated(f"{i}.png", Label(i)) for i in range(COUNT)])


@dataclass(frozen=True)
class Noted(Preprocessor):
    threads: set

    def apply(self, sample):
        self.threads.add(threading.current_thread())
        return sample.with_data(sample.data + 1)


@dataclass(frozen=True)
class Noisy(Preprocessor):
    draw: object

    def apply(self, sample):
        return sample.with_data(np.full(1, self.draw()))


@dataclass(frozen=True)
class Refusing(Preprocessor):
    def apply(self, sample):
        if sample.identifier in ("9.png", "40.png"):
            raise ValueError("no such sample")
        return sample


@pytest.fixture
def stored(tmp_path):
    for i in range(COUNT):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((4, 5, 3), i, np.uint8))
    spec = DatasetSpec("many", data_source=tmp_path, annotation_conversion=Component("many", {}, Many()))
    return open_stored(spec).samples


def step(block):
    return [Component("step", {}, block)]


def given_samples():
    return (Sample(str(i), np.full((4, 5, 3), i, np.uint8), Label(i)) for i in range(COUNT))


def test_stored_samples_come_in_order_from_threads(stored):
    threads = set()
    with prepared(stored, step(Noted(threads))) as samples:
        made = list(samples)
    assert [sample.identifier for sample in made] == [f"{i}.png" for i in range(COUNT)]
    assert [int(sample.data[0, 0, 0]) for sample in made] == list(range(1, COUNT + 1))
    assert threads - {threading.main_thread()}


def test_samples_of_user_code_are_read_where_they_are_asked_for():
    readers, steppers = set(), set()

    def given_by_user():
        for sample in given_samples():
            readers.add(threading.current_thread())
            yield sample

    with prepared(given_by_user(), step(Noted(steppers))) as samples:
        assert not readers
        made = list(samples)
    assert [int(sample.data[0, 0, 0]) for sample in made] == list(range(1, COUNT + 1))
    assert readers == {threading.main_thread()}
    assert steppers - {threading.main_thread()}


def test_a_failure_names_the_first_sample(stored):
    with prepared(stored, step(Refusing())) as samples, pytest.raises(DataError, match=r"9\.png .* no such sample"):
        list(samples)


@pytest.mark.parametrize(
    "draw",
    [random.random, np.random.rand, lambda: torch.rand(()).item()],
    ids=["random", "numpy", "torch"],
)
@pytest.mark.parametrize("is_stored", [True, False])
def test_what_draws_random_numbers_is_run_in_order_under_the_seeds_of_the_run(draw, is_stored, stored):
    def run():
        with prepared(stored if is_stored else given_samples(), step(Noisy(draw))) as samples:
            random.seed(1)
            np.random.seed(1)
            torch.manual_seed(1)
            return [float(sample.data[0]) for sample in samples]

    values = run()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    assert values == [draw() for _ in range(COUNT)] == run()


def test_generators_are_put_back():
    before = random.getstate(), torch.get_rng_state()
    assert draws(random.random)
    assert draws(lambda: torch.rand(1))
    assert not draws(lambda: 1 / 0)
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


def test_few_samples_of_large_images_are_ahead():
    made = []

    def given_by_user():
        for i in range(20):
            made.append(i)
            yield Sample(str(i), np.zeros((2048, 2048, 3), np.uint8), Label(0))

    with prepared(given_by_user(), step(Noted(set()))) as samples:
        next(samples)
        assert len(made) <= 8
        assert len(list(samples)) == 19


def test_no_samples(stored):
    with prepared(iter(()), step(Noted(set()))) as samples:
        assert not list(samples)

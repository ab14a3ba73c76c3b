import random
import threading
import time
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.data.prepared import prepared
from pytest_torchlauncher.data.stored import open_stored
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Converter, Preprocessor
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.plan import DatasetSpec
from pytest_torchlauncher.preprocessing.normalization import Normalization
from pytest_torchlauncher.preprocessing.torchvision import Torchvision
from pytest_torchlauncher.readers.lmdb_reader import LmdbReader
from pytest_torchlauncher.readers.opencv_imread import OpenCVImread
from pytest_torchlauncher.types import Annotated, Annotations, Label, Sample

COUNT = 70


@dataclass(frozen=True)
class Many(Converter):
    on_threads = True

    def convert(self):
        return Annotations([Annotated(f"{i}.png", Label(i)) for i in range(COUNT)])


@dataclass(frozen=True)
class Noted(Preprocessor):
    on_threads = True
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
    on_threads = True

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


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_does_not_say_that_threads_may_run_it_sees_one_sample_after_the_other(is_stored, stored):
    threads = set()

    def draw():
        threads.add(threading.current_thread())
        return random.random()

    with prepared(stored if is_stored else given_samples(), step(Noisy(draw))) as samples:
        assert not threads
        random.seed(1)
        values = [float(sample.data[0]) for sample in samples]
    random.seed(1)
    assert values == [random.random() for _ in range(COUNT)]
    assert threads == {threading.main_thread()}


@pytest.mark.parametrize(
    ("block", "on_threads"),
    [
        (Noisy(None), False),
        (Noted(set()), True),
        (Normalization(std=2.0), True),
        (Torchvision(transforms="torchvision.models.ResNet18_Weights.DEFAULT.transforms"), True),
        (Torchvision(transforms="torchvision.transforms.RandomHorizontalFlip"), False),
        (Torchvision(transforms="mine.transform"), False),
        (LmdbReader(), False),
        (OpenCVImread(), True),
    ],
)
def test_which_blocks_threads_may_run(block, on_threads):
    assert block.on_threads == on_threads


def test_a_given_sample_goes_through_the_steps_once():
    class InPlace(Preprocessor):
        def apply(self, sample):
            sample.data[...] -= 1
            return sample

    with prepared(iter([Sample(str(i), np.full(3, 9), Label(0)) for i in range(5)]), step(InPlace())) as samples:
        assert [sample.data.max() for sample in samples] == [8] * 5


def test_an_iterator_that_somebody_holds_ends_its_threads_with_the_block():
    def interrupted():
        with prepared(given_samples(), step(Noted(set()))) as samples:
            held.append(samples)
            next(samples)
            raise KeyboardInterrupt

    held = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("torchlauncher")]


def test_few_samples_of_large_images_are_ahead(monkeypatch):
    monkeypatch.setattr("pytest_torchlauncher.data.prepared.cores", lambda: 2)
    lock, made = threading.Lock(), []

    class Larger(Preprocessor):
        on_threads = True

        def apply(self, sample):
            with lock:
                made.append(sample.identifier)
            # The first one tells nothing of the others.
            return sample if sample.identifier == "0" else sample.with_data(np.zeros((2048, 2048, 3), np.uint8))

    with prepared(given_samples(), step(Larger())) as samples:
        next(samples)
        time.sleep(0.3)
        # 64 MiB, and what two threads had begun before.
        assert len(made) <= 8 + 2 * 4
        assert len(list(samples)) == COUNT - 1


def test_no_samples(stored):
    with prepared(iter(()), step(Noted(set()))) as samples:
        assert not list(samples)

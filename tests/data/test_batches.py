from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pytest_torchlauncher.data.batches import batches, stepped
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Preprocessor
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.preprocessing.crop import Crop
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import DatasetMeta, Label, Sample


@dataclass(frozen=True)
class AddOne(Preprocessor):
    def apply(self, sample):
        return sample.with_data(sample.data + 1)


@dataclass(frozen=True)
class Refuse(Preprocessor):
    def apply(self, sample):
        raise ValueError("first line\nno squares")


def sample(name, shape=(2, 3, 1), make=np.zeros):
    return Sample(name, make(shape), Label(0))


def test_batches_keep_order_and_the_last_may_be_smaller():
    found = list(batches([sample(str(i)) for i in range(5)], 2, DatasetMeta()))
    assert [[s.identifier for s in batch.samples] for batch in found] == [["0", "1"], ["2", "3"], ["4"]]


def test_steps_apply_in_order_and_leave_the_sample():
    first = sample("a")
    done = stepped(first, [Component("add", {}, AddOne())] * 2)
    assert (done.data == 2).all()
    assert (first.data == 0).all()


def test_a_step_that_refuses_names_itself_and_the_sample():
    with pytest.raises(DataError, match=r"refuse: a \(2, 3, 1\) float64: no squares") as error:
        stepped(sample("a"), [Component("refuse", {}, Refuse())])
    assert isinstance(error.value.__cause__, ValueError)


def test_each_image_of_a_sample_goes_through_the_steps():
    parts = {
        "left": np.zeros((2, 3, 1)),
        "words": np.zeros(4),
        "more": torch.zeros(1, 2, 2),
        "right": np.ones((5, 4, 1)),
    }
    done = stepped(Sample("a", parts, Label(0)), [Component("add", {}, AddOne())])
    assert [part.max() for part in done.data.values()] == [1, 0, 0, 2]
    assert list(done.data) == list(parts)
    pair = stepped(Sample("a", tuple(parts.values()), Label(0)), [Component("add", {}, AddOne())])
    assert [part.max() for part in pair.data] == [1, 0, 0, 2]
    with pytest.raises(DataError, match=r"refuse: a \(2, 3, 1\) float64: no squares"):
        stepped(Sample("a", parts, Label(0)), [Component("refuse", {}, Refuse())])


def test_sizes_before_and_after():
    steps = [Component("resize", {}, Resize(dst_width=8, dst_height=6)), Component("crop", {}, Crop(size=4))]
    done = stepped(sample("a", (20, 30, 3)), steps)
    assert (done.original_size, done.resized_size, done.input_size) == ((20, 30), (6, 8), (4, 4))
    plain = stepped(sample("a", (20, 30, 3)), steps[1:])
    assert (plain.original_size, plain.resized_size, plain.input_size) == ((20, 30), None, (4, 4))
    both = Sample("a", {"text": np.zeros(3), "image": np.zeros((20, 30, 3)), "other": np.zeros((9, 9, 3))}, Label(0))
    done = stepped(both, steps)
    assert (done.original_size, done.resized_size, done.input_size) == ((20, 30), (6, 8), (4, 4))
    assert sample("t", (3, 5, 7), torch.zeros).original_size == (5, 7)
    assert sample("words", (5,)).original_size is None

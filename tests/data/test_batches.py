from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pytest_torchlauncher.data.batches import batches, preprocess
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Preprocessor
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.types import Label, Sample


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
    found = list(batches([sample(str(i)) for i in range(5)], 2))
    assert [[s.identifier for s in batch.samples] for batch in found] == [["0", "1"], ["2", "3"], ["4"]]
    assert found[0].data.shape == (2, 2, 3, 1)
    assert found[-1].data.shape == (1, 2, 3, 1)


def test_tensors_are_stacked_as_they_stand():
    (batch,) = batches([sample(str(i), (3, 4), torch.zeros) for i in range(2)], 2)
    assert isinstance(batch.data, torch.Tensor)
    assert tuple(batch.data.shape) == (2, 3, 4)


@pytest.mark.parametrize("other", [sample("b", (3, 3, 1)), sample("b", (2, 3, 1), torch.zeros)])
def test_unequal_samples_cannot_share_a_batch(other):
    message = "cannot go into one batch; add a resize or crop to the preprocessing, or set batch: 1"
    with pytest.raises(DataError, match=message):
        list(batches([sample("a"), other], 2))
    assert len(list(batches([sample("a"), other], 1))) == 2


def test_steps_apply_in_order_and_leave_the_sample():
    first = sample("a")
    (done,) = preprocess([first], [Component("add", {}, AddOne())] * 2)
    assert (done.data == 2).all()
    assert (first.data == 0).all()


def test_a_step_that_refuses_names_itself_and_the_sample():
    with pytest.raises(DataError, match=r"refuse: a \(2, 3, 1\) float64: no squares") as error:
        list(preprocess([sample("a")], [Component("refuse", {}, Refuse())]))
    assert isinstance(error.value.__cause__, ValueError)

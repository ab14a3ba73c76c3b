import warnings

import numpy as np
import pytest

from pytest_torchlauncher.data.given import open_given
from pytest_torchlauncher.data.subset import drawn
from pytest_torchlauncher.errors import LauncherFileWarning
from pytest_torchlauncher.plan import Amount, DatasetSpec
from pytest_torchlauncher.types import Identity, Label, Sample


def spec(size, **options):
    return DatasetSpec("d", fixture="mine", subsample_size=size, **options)


def positions(total, size, **options):
    return list(drawn([Label(0)] * total, spec(size, **options)))


def test_it_is_the_draw_of_the_accuracy_checker():
    assert positions(10, Amount(3)) == [5, 7, 0]
    assert positions(10, Amount(30, percent=True)) == [5, 7, 0]


def test_another_seed_draws_others_and_without_shuffling_the_first_are_taken():
    assert positions(10, Amount(3), subsample_seed=1) != [5, 7, 0]
    assert positions(10, Amount(3), shuffle=False) == [0, 1, 2]
    assert positions(10, None) == list(range(10))


@pytest.mark.parametrize(
    ("amount", "total", "count"),
    [(Amount(25, True), 10, 2), (Amount(1, True), 10, 1), (Amount(100, True), 7, 7), (Amount(7), 7, 7)],
)
def test_sizes_are_rounded_down_to_at_least_one(amount, total, count):
    found = positions(total, amount)
    assert (len(found), len(set(found))) == (count, count)


def test_more_than_there_are_warns_and_takes_all():
    with pytest.warns(LauncherFileWarning, match="subsample_size: 12 found, the dataset has 10 samples; all of them"):
        assert positions(10, Amount(12)) == list(range(10))


def test_the_global_generator_is_left_alone():
    np.random.seed(3)
    before = np.random.random()
    np.random.seed(3)
    positions(10, Amount(3))
    assert np.random.random() == before


def test_queries_stay_with_their_gallery():
    people = [Identity(person, camera, camera == 0) for person in range(6) for camera in range(2)]
    found = [people[index] for index in drawn(people, spec(Amount(4)))]
    assert len(found) <= 4
    assert (
        {identity.person for identity in found if identity.query} == {i.person for i in found if not i.query} != set()
    )


class MapStyle:
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return np.full((2, 2, 3), index, np.uint8), index


@pytest.mark.parametrize("items", [MapStyle(), [MapStyle()[index] for index in range(10)]])
def test_fixtures_are_drawn_from_too(items):
    samples = list(open_given(items, spec(Amount(3))).samples)
    assert [(sample.identifier, sample.annotation) for sample in samples] == [
        ("5", Label(5)),
        ("7", Label(7)),
        ("0", Label(0)),
    ]


def test_a_generator_is_drawn_from_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples = list(open_given((MapStyle()[index] for index in range(10)), spec(Amount(3))).samples)
    assert [sample.annotation.index for sample in samples] == [5, 7, 0]


@pytest.mark.parametrize("kind", [list, iter])
def test_people_of_a_fixture_stay_with_their_gallery(kind):
    people = [Identity(person, camera, camera == 0) for person in range(6) for camera in range(2)]
    items = [Sample(str(index), np.zeros((2, 2, 3)), identity) for index, identity in enumerate(people)]
    samples = list(open_given(kind(items), spec(Amount(4))).samples)
    assert [sample.annotation for sample in samples] == [people[index] for index in drawn(people, spec(Amount(4)))]

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.data.limit import limited
from pytest_torchlauncher.plan import Amount
from pytest_torchlauncher.types import Identity, Label, Text


def named(counts):
    return [(f"{label}/{index}.png", Label(label)) for label, count in enumerate(counts) for index in range(count)]


def chosen(samples, amount):
    return [samples[position][0] for position in limited(samples, amount)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(sum), st.integers(1, 60), st.integers(0, 1000))
def test_classes_keep_their_shares_in_any_order(counts, size, seed):
    samples = named(counts)
    part = chosen(samples, Amount(size))
    assert len(part) == min(size, len(samples)) == len(set(part))
    found = Counter(int(identifier.partition("/")[0]) for identifier in part)
    for label, count in enumerate(counts):
        assert abs(found[label] - count * len(part) / len(samples)) < 1
    shuffled = random.Random(seed).sample(samples, len(samples))
    assert set(chosen(shuffled, Amount(size))) == set(part)


def test_a_part_comes_in_the_order_of_the_dataset():
    positions = limited(named([10, 10]), Amount(7))
    assert positions == sorted(positions)


@pytest.mark.parametrize(("amount", "count"), [(Amount(10, True), 4), (Amount(1, True), 1), (Amount(500), 40)])
def test_percentages_and_more_than_there_are(amount, count):
    assert len(limited(named([20, 20]), amount)) == count


def test_a_larger_part_holds_the_smaller_one_where_there_are_no_classes():
    samples = [(f"{index}.png", Text("a")) for index in range(100)]
    assert set(chosen(samples, Amount(20))) < set(chosen(samples, Amount(30)))


def test_other_samples_are_drawn_than_the_first():
    assert set(limited([(f"{index}.png", None) for index in range(100)], Amount(20))) != set(range(20))


def test_of_people_whole_persons_are_taken():
    samples = [(f"{index}.png", Identity(index % 20, index % 2, index < 20)) for index in range(60)]
    positions = limited(samples, Amount(10))
    persons = {position % 20 for position in positions}
    assert len(positions) == 3 * len(persons) == 12

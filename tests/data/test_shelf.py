import multiprocessing
import time

import numpy as np
import pytest
import torch

from pytest_torchlauncher.data.packing import packed, unpacked
from pytest_torchlauncher.data.shelf import Shelf
from pytest_torchlauncher.types import Boxes, Label, Levels, Sample


def samples(count=3, size=8):
    rng = np.random.default_rng(size)
    return [
        Sample(
            f"{i}.png",
            Levels(rng.integers(0, 256, (size, size, 3), dtype=np.uint8), rng.normal(size=(256, 3))),
            Boxes(rng.uniform(size=(i, 4)), rng.integers(0, 5, i)),
            "bgr",
            "ab" * 32,
            metadata={"site": "A"},
        )
        for i in range(count)
    ]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.identifier, one.color, one.digest, one.metadata) == (
            other.identifier,
            other.color,
            other.digest,
            other.metadata,
        )
        assert (one.original_size, one.input_size) == (other.original_size, other.input_size)
        np.testing.assert_array_equal(one.data, other.data)
        np.testing.assert_array_equal(one.annotation.boxes, other.annotation.boxes)
        np.testing.assert_array_equal(one.geometry.matrix, other.geometry.matrix)


def refuse():
    raise AssertionError("made again")


def test_packages_hold_what_was_packed():
    assert_same(unpacked(packed(samples())), samples())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8])
def test_tensors_stay_tensors(dtype):
    tensor = torch.arange(12).reshape(3, 4).T.to(dtype)
    (found,) = unpacked(packed([Sample("a", {"image": tensor, "text": (tensor[0],)}, Label(1))]))
    assert torch.equal(found.data["image"], tensor)
    assert torch.equal(found.data["text"][0], tensor[0])
    found.data["image"] += 1


@pytest.mark.parametrize("memory", [1 << 20, 0], ids=["memory", "disk"])
def test_samples_are_made_once(memory):
    shelf = Shelf(memory=memory)
    first = shelf.samples("chain", "0-3", samples)
    assert_same(shelf.samples("chain", "0-3", refuse), first)
    with pytest.raises(AssertionError, match="made again"):
        shelf.samples("chain", "3-6", refuse)
    with pytest.raises(AssertionError, match="made again"):
        shelf.samples("other", "0-3", refuse)
    shelf.close()


@pytest.mark.parametrize("memory", [1 << 20, 0], ids=["memory", "disk"])
def test_what_somebody_writes_to_an_array_stays_with_them(memory):
    shelf = Shelf(memory=memory)
    shelf.samples("chain", "0-3", samples)
    for sample in shelf.samples("chain", "0-3", refuse):
        sample.data.levels[:] = 0
        sample.annotation.boxes[:] = 0
    assert_same(shelf.samples("chain", "0-3", refuse), samples())
    shelf.close()


def test_a_folder_that_is_gone_fails_nothing(tmp_path):
    shelf = Shelf(tmp_path / "gone")
    assert_same(shelf.samples("chain", "0-3", samples), samples())


def test_what_memory_has_no_room_for_goes_to_disk_and_leaves_with_its_chain():
    size = len(packed(samples()))
    shelf = Shelf(memory=2 * size)
    parts = [f"{i}-{i + 1}" for i in range(5)]
    for part in parts:
        shelf.samples("chain", part, samples)
    assert shelf._own is not None
    # The same content lies there once.
    assert len(list(shelf._own.iterdir())) == 1
    for part in parts:
        assert_same(shelf.samples("chain", part, refuse), samples())
    shelf.forget("chain")
    assert not list(shelf._own.iterdir())
    shelf.samples("other", "0", samples)
    assert len(shelf._held["other"]["0"]) == size  # memory is free again
    folder = shelf._own
    shelf.close()
    assert not folder.exists()


@pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: b"", lambda content: b"x" + content])
def test_damage_on_disk_is_seen_and_made_anew(tmp_path, damage):
    shelf = Shelf(tmp_path)
    shelf.samples("chain", "0-3", samples)
    (package,) = [path for path in tmp_path.iterdir() if len(path.name) == 64]
    package.write_bytes(damage(package.read_bytes()))
    made = []
    assert_same(shelf.samples("chain", "0-3", lambda: made.append(1) or samples()), samples())
    assert made
    assert_same(shelf.samples("chain", "0-3", refuse), samples())


def test_what_cannot_be_pickled_is_made_again():
    shelf = Shelf()
    odd = [Sample("a", np.zeros(3), lambda: 0)]
    assert shelf.samples("chain", "0", lambda: odd) is odd
    assert shelf.samples("chain", "0", samples)[0].identifier == "0.png"


def test_a_full_disk_fails_nothing(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("usage", (), {"free": 1 << 20}))
    shelf = Shelf(memory=0)
    assert len(shelf.samples("chain", "0-3", samples)) == 3
    assert not shelf._held
    shelf.close()


def _take(folder, made, barrier):
    barrier.wait()
    shelf = Shelf(folder)

    def make():
        with made.get_lock():
            made.value += 1
        time.sleep(0.1)
        return samples()

    for part in ("0-3", "3-6"):
        assert_same(shelf.samples("chain", part, make), samples())


def test_processes_do_not_make_the_same_samples_twice(tmp_path):
    context = multiprocessing.get_context("fork")
    made, barrier = context.Value("i", 0), context.Barrier(3)
    workers = [context.Process(target=_take, args=(tmp_path, made, barrier)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert made.value == 2

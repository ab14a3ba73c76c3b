"""The market1501_reid converter."""

from __future__ import annotations

import shutil

import pytest

from pytest_torchlauncher.converters.market1501_reid import Market1501
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import Identity

MINIMAL = {"market1501_reid": {"data_dir": "Market-1501-v15.09.15"}}

GALLERY = ["0002_c1s1_000451_03.jpg", "-1_c1s1_000401_03.jpg", "0000_c6s3_094992_01.jpg", "0002_c3s1_000076_00.jpg"]
QUERIES = ["0002_c4s1_000776_00.jpg", "1501_c6s4_001902_00.jpg"]


def dataset(folder, gallery=GALLERY, queries=QUERIES):
    for name, files in (("bounding_box_test", gallery), ("query", queries)):
        (folder / name).mkdir()
        for file in files:
            (folder / name / file).touch()
    return folder


def test_names_tell_person_and_camera(tmp_path):
    annotations = Market1501(data_dir=dataset(tmp_path)).convert()
    assert annotations.root == tmp_path
    assert [(item.identifier, item.annotation) for item in annotations.items] == [
        ("bounding_box_test/0002_c3s1_000076_00.jpg", Identity(2, 2, query=False)),
        ("bounding_box_test/0002_c1s1_000451_03.jpg", Identity(2, 0, query=False)),
        ("bounding_box_test/0000_c6s3_094992_01.jpg", Identity(0, 5, query=False)),
        ("query/1501_c6s4_001902_00.jpg", Identity(1501, 5, query=True)),
        ("query/0002_c4s1_000776_00.jpg", Identity(2, 3, query=True)),
    ]


def test_other_files_are_no_images(tmp_path):
    folder = dataset(tmp_path, [*GALLERY, "Thumbs.db"], [*QUERIES, "readme.txt"])
    assert len(Market1501(data_dir=folder).convert().items) == 5


@pytest.mark.parametrize("missing", ["bounding_box_test", "query"])
def test_both_folders_are_needed(tmp_path, missing):
    folder = dataset(tmp_path) / missing
    shutil.rmtree(folder)
    with pytest.raises(MissingDataError) as caught:
        Market1501(data_dir=tmp_path).convert()
    assert str(caught.value) == f"the folder {missing} of data_dir is not there: {folder}"


@pytest.mark.parametrize("gallery", [[], ["-1_c1s1_000401_03.jpg"]])
def test_a_folder_without_persons(tmp_path, gallery):
    with pytest.raises(DataError) as caught:
        Market1501(data_dir=dataset(tmp_path, gallery)).convert()
    assert str(caught.value) == (
        f"no image NNNN_cN….jpg of a person found in {tmp_path / 'bounding_box_test'}, at least one expected"
    )


def test_a_name_that_tells_nothing(tmp_path):
    with pytest.raises(DataError) as caught:
        Market1501(data_dir=dataset(tmp_path, [*GALLERY, "portrait.jpg"])).convert()
    assert str(caught.value) == (
        f"{tmp_path / 'bounding_box_test' / 'portrait.jpg'} found, a name expected that begins with person and "
        "camera, as 0002_c1s1_000451_03.jpg; rename or remove it"
    )

"""Masks and keypoints of COCO, against pycocotools."""

import json

import numpy as np
import pytest
from pycocotools import mask as pycocotools

from pytest_torchlauncher import rle
from pytest_torchlauncher.converters.mscoco_keypoints import MSCocoKeypoints
from pytest_torchlauncher.converters.mscoco_mask_rcnn import MSCocoMaskRCNN
from pytest_torchlauncher.errors import DataError

MINIMAL = {
    "mscoco_mask_rcnn": {"annotation_file": "instances.json"},
    "mscoco_keypoints": {"annotation_file": "keypoints.json"},
}


@pytest.fixture
def content():
    polygon = [4.0, 3.0, 20.0, 5.0, 12.0, 18.0]
    mask = np.zeros((30, 40), np.uint8, order="F")
    mask[2:9, 5:11] = 1
    counts = pycocotools.encode(mask)["counts"].decode()
    points = [float(number) for index in range(17) for number in (index, 2 * index, index % 3)]
    return {
        "images": [
            {"id": 5, "file_name": "b.png", "height": 30, "width": 40},
            {"id": 2, "file_name": "a.png", "height": 50, "width": 20},
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 7, "name": "dog"}],
        "annotations": [
            {
                "image_id": 5,
                "category_id": 7,
                "bbox": [4, 3, 16, 15],
                "area": 9.5,
                "iscrowd": 0,
                "segmentation": [polygon],
            }
            | {"keypoints": points},
            {"image_id": 5, "category_id": 1, "bbox": [5, 2, 6, 7], "area": 42, "iscrowd": 1}
            | {"segmentation": {"size": [30, 40], "counts": counts}, "keypoints": [0.0] * 51},
        ],
    }


@pytest.fixture
def converted(tmp_path, content):
    def convert(block, **options):
        path = tmp_path / "coco.json"
        path.write_text(json.dumps(content))
        return block(annotation_file=path, **options).convert()

    return convert


def test_boxes_and_masks_are_two_annotations(converted, content):
    annotations = converted(MSCocoMaskRCNN)
    first, second = annotations.items
    assert [item.identifier for item in annotations.items] == ["a.png", "b.png"]
    assert [len(part) for part in first.annotation.parts.values()] == [0, 0]
    boxes, masks = second.annotation.parts["detection_annotation"], second.annotation.parts["segmentation_annotation"]
    assert boxes.boxes.tolist() == [[4, 3, 20, 18], [5, 2, 11, 9]]
    assert (boxes.labels.tolist(), boxes.crowd.tolist(), boxes.areas.tolist()) == ([1, 0], [False, True], [9.5, 42])
    assert (masks.labels.tolist(), masks.crowd.tolist(), masks.areas.tolist()) == ([1, 0], [False, True], [9.5, 42])
    drawn = pycocotools.frPyObjects(content["annotations"][0]["segmentation"], 30, 40)
    assert masks.masks[0].counts == pycocotools.merge(drawn)["counts"]
    assert rle.decode(masks.masks[1]).sum() == 42
    assert annotations.meta.label_map == {0: "person", 1: "dog"}


def test_labels_as_options_say(converted):
    full = converted(MSCocoMaskRCNN, use_full_label_map=True)
    assert full.items[1].annotation.parts["detection_annotation"].labels.tolist() == [7, 1]
    shifted = converted(MSCocoMaskRCNN, has_background=True)
    assert shifted.items[1].annotation.parts["segmentation_annotation"].labels.tolist() == [2, 1]
    assert shifted.meta.background_label == 0


def test_order_of_the_file_or_by_size(converted):
    names = [item.identifier for item in converted(MSCocoMaskRCNN, sort_annotations=False).items]
    assert names == ["b.png", "a.png"]
    assert [item.identifier for item in converted(MSCocoKeypoints, sort_key="image_size").items] == ["b.png", "a.png"]


def test_an_object_without_a_mask_is_told(converted, content):
    del content["annotations"][0]["segmentation"]
    with pytest.raises(DataError) as error:
        converted(MSCocoMaskRCNN)
    assert error.value.message == (
        "b.png: a segmentation found that is neither a list of polygons with three points or more nor run lengths"
    )


def test_run_lengths_that_do_not_fill_the_image_are_told(converted, content):
    content["annotations"][1]["segmentation"]["counts"] = "!!zz"
    with pytest.raises(DataError) as error:
        converted(MSCocoMaskRCNN)
    assert error.value.message == "b.png: run lengths found that do not fill 30 x 40 px, as many expected"


def test_where_images_lie(converted, tmp_path):
    for converter in (MSCocoMaskRCNN, MSCocoKeypoints):
        assert converted(converter).root is None
        assert converted(converter, images_dir=tmp_path / "val").root == tmp_path / "val"


def test_keypoints(converted):
    annotations = converted(MSCocoKeypoints)
    empty, people = (item.annotation for item in annotations.items)
    assert (len(empty), empty.points.shape[0]) == (0, 0)
    assert people.points.shape == (2, 17, 2)
    assert people.points[0, 3].tolist() == [3, 6]
    assert people.visibility[0].tolist() == [index % 3 for index in range(17)]
    assert (people.labels.tolist(), people.difficult.tolist(), people.crowd.tolist()) == (
        [7, 1],
        [False, True],
        [False, True],
    )
    assert (people.areas.tolist(), people.boxes.tolist()) == ([9.5, 42], [[4, 3, 20, 18], [5, 2, 11, 9]])
    assert annotations.meta.label_map == {1: "person", 7: "dog"}
    assert len(converted(MSCocoKeypoints, remove_empty_images=True).items) == 1


def test_keypoints_of_different_numbers_are_told(converted, content):
    content["annotations"][1]["keypoints"] = [0.0] * 48
    with pytest.raises(DataError) as error:
        converted(MSCocoKeypoints)
    assert error.value.message == (
        "b.png: keypoints of [48, 51] numbers found, x, y and visibility of as many points expected"
    )


def test_classes_of_ones_own(converted, tmp_path):
    (tmp_path / "meta.json").write_text('{"label_map": {"1": "human", "7": "hound"}}')
    assert converted(MSCocoKeypoints, dataset_meta_file=tmp_path / "meta.json").meta.label_map == {
        1: "human",
        7: "hound",
    }

"""The mscoco_detection converter and the reading of COCO's JSON, against pycocotools."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_torchlauncher.converters import _coco
from pytest_torchlauncher.converters._coco import read_coco
from pytest_torchlauncher.converters.mscoco_detection import MSCocoDetection
from pytest_torchlauncher.errors import DataError, MissingDataError, Position

MINIMAL = {"mscoco_detection": {"annotation_file": "instances.json"}}

CATEGORIES = [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}, {"id": 7, "name": "train"}]


def image(number, height=20, width=30):
    return {"id": number, "file_name": f"{number:03}.png", "height": height, "width": width}


def item(image_id, category_id=1, bbox=(1, 2, 3, 4), **more):
    return {"image_id": image_id, "category_id": category_id, "bbox": list(bbox), **more}


def content(images, annotations, categories=CATEGORIES):
    return {"images": images, "annotations": annotations, "categories": categories}


def stored(folder, document, name="instances.json"):
    file = folder / name
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def converted(folder, document, **options):
    return MSCocoDetection(annotation_file=stored(folder, document), **options).convert()


def labels_and_names(annotations):
    (only,) = annotations.items
    return only.annotation.labels.tolist(), dict(annotations.meta.label_map), annotations.meta.background_label


ONE_OF_EACH = content([image(1)], [item(1, 1), item(1, 7), item(1, 18)])


@pytest.mark.parametrize("seed", range(6))
def test_boxes_are_those_of_pycocotools(tmp_path, seed):
    from pycocotools.coco import COCO

    rng = np.random.default_rng(seed)
    numbers = rng.permutation(12).tolist()
    annotations = [
        {
            **item(int(rng.integers(12)), int(rng.choice([1, 7, 18])), rng.uniform(0, 20, 4).round(2).tolist()),
            "id": number + 1,
            "iscrowd": int(rng.integers(2)),
            "area": float(rng.uniform(1, 99)),
        }
        for number in range(20)
    ]
    document = content([image(number) for number in numbers], annotations)
    found = converted(tmp_path, document, use_full_label_map=True)
    coco = COCO(tmp_path / "instances.json")
    assert [entry.identifier for entry in found.items] == [coco.imgs[i]["file_name"] for i in sorted(coco.imgs)]
    for image_id, entry in zip(sorted(coco.imgs), found.items, strict=True):
        expected = coco.loadAnns(coco.getAnnIds(image_id))
        boxes = entry.annotation
        assert (boxes.boxes.dtype, boxes.labels.dtype, boxes.crowd.dtype) == (np.float64, np.int64, bool)
        corners = [[x, y, x + width, y + height] for x, y, width, height in (ann["bbox"] for ann in expected)]
        np.testing.assert_array_equal(boxes.boxes, np.reshape(corners, (-1, 4)))
        assert boxes.labels.tolist() == [ann["category_id"] for ann in expected]
        assert boxes.crowd.tolist() == [bool(ann["iscrowd"]) for ann in expected]
        assert boxes.areas.tolist() == [ann["area"] for ann in expected]
        assert not boxes.difficult.any()


def test_area_crowd_and_segmentation_may_be_missing(tmp_path):
    (entry,) = converted(tmp_path, content([image(1)], [item(1, bbox=(1, 2, 3.5, 4))])).items
    assert (entry.annotation.areas.tolist(), entry.annotation.crowd.tolist()) == ([14.0], [False])


def test_images_without_objects_stay_but_not_under_compat(tmp_path):
    document = content([image(2), image(1)], [item(2)])
    empty, full = converted(tmp_path, document).items
    assert (empty.identifier, full.identifier) == ("001.png", "002.png")
    assert (empty.annotation.boxes.shape, len(empty.annotation), len(full.annotation)) == ((0, 4), 0, 1)
    (only,) = converted(tmp_path, document, compat="accuracy_checker").items
    assert only.identifier == "002.png"


@pytest.mark.parametrize(
    ("options", "labels", "names", "background"),
    [
        ({}, [1, 2, 0], {0: "dog", 1: "person", 2: "train"}, None),
        (
            {"has_background": True},
            [2, 3, 1],
            {0: "background", 1: "dog", 2: "person", 3: "train"},
            0,
        ),
        ({"use_full_label_map": True}, [1, 7, 18], {1: "person", 7: "train", 18: "dog"}, None),
        (
            {"use_full_label_map": True, "has_background": True},
            [1, 7, 18],
            {0: "background", 1: "person", 7: "train", 18: "dog"},
            0,
        ),
        ({"convert_COCO_to_VOC_labels": True}, [15, 19, 12], {15: "person", 19: "train", 12: "dog"}, None),
        (
            {"convert_COCO_to_VOC_labels": True, "has_background": True},
            [15, 19, 12],
            {0: "background", 15: "person", 19: "train", 12: "dog"},
            0,
        ),
    ],
)
def test_labels(tmp_path, options, labels, names, background):
    assert labels_and_names(converted(tmp_path, ONE_OF_EACH, **options)) == (labels, names, background)


@pytest.mark.parametrize(
    ("meta", "options", "labels", "names", "background"),
    [
        ({"label_map": {"1": "a", "7": "b", "18": "c"}}, {}, [1, 7, 18], {1: "a", 7: "b", 18: "c"}, None),
        (
            {"label_map": {"1": "a", "7": "b", "18": "c"}},
            {"has_background": True},
            [1, 7, 18],
            {0: "background", 1: "a", 7: "b", 18: "c"},
            0,
        ),
        (
            {"label_map": {"1": "a", "7": "b", "18": "c", "9999": "d"}},
            {"convert_COCO_to_VOC_labels": True},
            [15, 19, 12],
            {15: "a", 19: "b", 12: "c"},
            None,
        ),
        ({"labels": list("abcdefghijklmnopqrs")}, {}, [1, 7, 18], dict(enumerate("abcdefghijklmnopqrs")), None),
        (
            {"labels": list("abcdefghijklmnopqr")},
            {"has_background": True},
            [1, 7, 18],
            {0: "background", **dict(enumerate("abcdefghijklmnopqr", 1))},
            0,
        ),
        ({}, {}, [1, 2, 0], {0: "dog", 1: "person", 2: "train"}, None),
    ],
)
def test_classes_of_another_file(tmp_path, meta, options, labels, names, background):
    file = stored(tmp_path, meta, "meta.json")
    found = converted(tmp_path, ONE_OF_EACH, dataset_meta_file=file, **options)
    assert labels_and_names(found) == (labels, names, background)


def test_voc_labels_are_the_positions_of_its_classes():
    from pytest_torchlauncher.converters.voc_detection import _NAMES

    coco_names = {1: "person", 3: "car", 5: "aeroplane", 20: "sheep", 62: "chair", 72: "tvmonitor"}
    for category, name in coco_names.items():
        assert _NAMES[_coco._VOC_LABELS[category] - 1] == name
    assert sorted(_coco._VOC_LABELS.values()) == list(range(1, 21))


def test_the_order_of_images(tmp_path):
    document = content([image(3, 9, 5), image(1, 9, 5), image(2, 8, 7)], [])

    def order(**options):
        return [entry.identifier[2] for entry in converted(tmp_path, document, **options).items]

    assert order() == ["1", "2", "3"]
    assert order(sort_key="image_size") == ["2", "3", "1"]
    assert order(sort_annotations=False) == order(sort_annotations=False, sort_key="image_size") == ["3", "1", "2"]


def test_where_images_lie(tmp_path):
    assert converted(tmp_path, ONE_OF_EACH).root is None
    assert converted(tmp_path, ONE_OF_EACH, images_dir=tmp_path / "val").root == tmp_path / "val"


def test_annotations_of_other_images_are_left_out(tmp_path):
    (entry,) = converted(tmp_path, content([image(1)], [item(2), item(1)])).items
    assert len(entry.annotation) == 1


def test_every_annotation_is_visited_once(tmp_path, monkeypatch):
    class Visited(dict):
        visits = 0

        def __getitem__(self, key):
            Visited.visits += key == "image_id"
            return super().__getitem__(key)

    class Iterated(list):
        iterations = 0

        def __iter__(self):
            Iterated.iterations += 1
            return super().__iter__()

    annotations = Iterated(Visited(item(number % 50)) for number in range(400))
    document = content([image(number) for number in range(50)], annotations)
    file = stored(tmp_path, "{}")
    monkeypatch.setattr(_coco.json, "loads", lambda text: document)
    found = MSCocoDetection(annotation_file=file).convert()
    assert sum(len(entry.annotation) for entry in found.items) == 400
    assert (Iterated.iterations, Visited.visits) == (1, 400)


def test_what_else_objects_say(tmp_path):
    keypoints = [1, 2, 0, 3, 4, 1, 5, 6, 2]
    polygons = [[0, 0, 9, 0, 9, 9]]
    annotations = [
        item(1, segmentation=polygons),
        item(1, keypoints=keypoints),
        item(1, keypoints=keypoints, num_keypoints=7),
    ]
    coco = read_coco(stored(tmp_path, content([image(1)], annotations)), "annotation_file")
    plain, counted, told = coco.objects[1]
    assert (plain.segmentation, plain.keypoints, plain.num_keypoints) == (polygons, None, 0)
    assert (counted.segmentation, counted.keypoints, counted.num_keypoints) == (None, tuple(map(float, keypoints)), 2)
    assert told.num_keypoints == 7
    assert coco.categories == ((18, "dog"), (1, "person"), (7, "train"))
    assert coco.images[0].size == (20, 30)


NO_LIST = "no list '{}' found, COCO's images, annotations and categories expected"
OF_AN_ITEM = "image_id, category_id and bbox [x, y, width, height] expected"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], NO_LIST.format("images")),
        ({}, NO_LIST.format("images")),
        ({"images": []}, NO_LIST.format("annotations")),
        ({"images": [], "annotations": []}, NO_LIST.format("categories")),
        (content([], {}), NO_LIST.format("annotations")),
        (
            content([image(1), {"id": 2}], []),
            "images[1]: no 'file_name' found; id, file_name, height and width expected",
        ),
        (content([], [], [{"id": 1}]), "categories[0]: no 'name' found; id and name expected"),
        (content([image(1)], [item(1), {"image_id": 1}]), f"annotations[1]: no 'bbox' found; {OF_AN_ITEM}"),
        (
            content([image(1)], [item(1, bbox=(1, 2, 3))]),
            f"annotations[0]: not enough values to unpack (expected 4, got 3); {OF_AN_ITEM}",
        ),
        (
            content([image(1)], [item(1, bbox=(1, 2, 3, float("nan")))]),
            f"annotations[0]: bbox [1, 2, 3, nan] found; {OF_AN_ITEM}",
        ),
        (
            content([image(1)], [item(1, bbox=(1, 2, -3, 4))]),
            f"annotations[0]: bbox [1, 2, -3, 4] found; {OF_AN_ITEM}",
        ),
        (
            content([image(1)], [item(1, area=float("nan"))]),
            f"annotations[0]: an area or keypoint that is no finite number found; {OF_AN_ITEM}",
        ),
        (
            content([image(1)], [item(1, keypoints=[1, 2, float("inf")])]),
            f"annotations[0]: an area or keypoint that is no finite number found; {OF_AN_ITEM}",
        ),
        (
            content([{**image(1), "height": float("inf")}], []),
            "images[0]: cannot convert float infinity to integer; id, file_name, height and width expected",
        ),
        (
            content([{**image(1), "id": [1]}], []),
            "images[0]: id [1] found; id, file_name, height and width expected",
        ),
        (content([image(1), image(1)], []), "two images of the id 1 found; give each its own"),
        (
            content([image(1), {**image(1), "id": "a"}], []),
            "ids of images found that are numbers and texts; make them all numbers",
        ),
        (
            content([image(1)], [item("1"), item("2")]),
            "annotations of image_id '1' found, of images that are listed expected",
        ),
        (
            content([], [], [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]),
            "'a' and 'b' of one category id 1 found; give each its own",
        ),
    ],
)
def test_what_is_no_coco(tmp_path, document, message):
    with pytest.raises(DataError) as caught:
        converted(tmp_path, document)
    assert str(caught.value) == f"annotation_file {tmp_path / 'instances.json'}: {message}"


def test_invalid_json_is_named_with_its_place(tmp_path):
    with pytest.raises(DataError) as caught:
        converted(tmp_path, '{\n "images": }')
    assert caught.value.where == Position(tmp_path / "instances.json", 2, 12)
    assert caught.value.message == "invalid JSON: Expecting value; correct the file"


@pytest.mark.parametrize(("options", "known"), [({}, "18, 1, 7"), ({"convert_COCO_to_VOC_labels": True}, "18, 1, 7")])
def test_an_object_needs_a_known_category(tmp_path, options, known):
    with pytest.raises(DataError) as caught:
        converted(tmp_path, content([image(1)], [item(1), item(1, 8)]), **options)
    assert str(caught.value) == (
        f"an object of category_id 8 found, one of the categories with a label expected: {known}"
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*none\.json$"):
        MSCocoDetection(annotation_file=tmp_path / "none.json").convert()

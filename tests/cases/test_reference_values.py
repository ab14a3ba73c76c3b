"""Small complete cases with the values that the Accuracy Checker gives for the same files, modules and data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Counts agree to the last bit; a resize in another version of OpenCV may move single pixels.
TOLERANCE = {"seg_lraspp": 1e-4}
SLOW = {"cls_resnet18"}


def _configs() -> list[object]:
    return [
        pytest.param(
            folder.name,
            path.stem,
            id=f"{folder.name}-{path.stem}",
            marks=[pytest.mark.real_models] if folder.name in SLOW else [],
        )
        for folder in sorted(HERE.glob("*/"))
        if (folder / "make_case.py").exists()
        for path in sorted(folder.glob("*.yml"))
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of the cases that were made so far."""
    return {}


@pytest.fixture
def case(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    name = request.getfixturevalue("name")
    if name not in made:
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(HERE))
            namespace: dict[str, object] = {}
            source = HERE / name / "make_case.py"
            exec(compile(source.read_text(), source, "exec"), namespace)  # all cases' modules have one name
            namespace["make"](folder)  # type: ignore[operator]
        made[name] = folder
    return made[name]


def measure(pytester: pytest.Pytester, case: Path, name: str, config: str, *arguments: str) -> dict[str, float]:
    """Return the values by metric, and those of components as ``metric@component``."""
    for entry in case.iterdir():
        target = pytester.path / entry.name
        if not target.exists():
            target.symlink_to(entry)
    for source in (HERE / name).glob("*.py"):
        shutil.copy(source, pytester.path)
    shutil.copy(HERE / name / f"{config}.yml", pytester.path / f"{config}.launcher.yml")
    result = pytester.runpytest_inprocess("--launcher-record", "--launcher-json=out.json", *arguments)
    assert result.parseoutcomes().keys() <= {"passed", "warnings"}, result.stdout.str()
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    values = {}
    for metric in evaluation["metrics"]:
        values[metric["name"]] = values[f"{metric['name']}@mean"] = metric["value"]
        values |= {f"{metric['name']}@{part}": value for part, value in metric["components"].items()}
    return values


@pytest.mark.parametrize(("name", "config"), _configs())
def test_under_compat(pytester: pytest.Pytester, case: Path, name: str, config: str) -> None:
    expected = json.loads((HERE / name / "expected.json").read_text())[config]
    found = measure(pytester, case, name, config, "--launcher-compat=accuracy_checker")
    assert {metric: found[metric] for metric in expected} == pytest.approx(expected, rel=TOLERANCE.get(name, 1e-6))


DEFAULTS = [
    # Under compat an object that the surest detection took can be taken again.
    ("det_voc", "b4", "coco_precision", 0.47348797203516274, 0.47512242119436426),
    # Under compat the scores of every class are stretched to 8 bits before the highest one is looked for.
    ("seg_lraspp", "logits_resize", "mean_iou", 0.6835559353709164, 0.5373685965096713),
    # Pillow adds up the steps of its nearest neighbour in floating point and misses a few that lie on a border.
    ("seg_lraspp", "argmax", "mean_iou", 0.6835559353709164, 0.6834118919883001),
    # Under compat the value is the mean of the mean error and its standard deviation.
    ("regression_txt", "config", "mae", 0.1004186655506478, 0.06027858060352318),
    ("regression_txt", "config", "rmse", 0.12439679933512753, 0.07424568454912983),
    # The same; and the relative error of a matrix is that of its largest singular value.
    ("regression_txt", "config", "rel_l2", 0.04533992963937704, 0.030619372803586297),
]


@pytest.mark.parametrize(("name", "config", "metric", "default", "compatible"), DEFAULTS)
def test_by_default_a_defect_is_not_repeated(
    pytester: pytest.Pytester, case: Path, name: str, config: str, metric: str, default: float, compatible: float
) -> None:
    found = measure(pytester, case, name, config)
    assert found[metric] == pytest.approx(default, rel=TOLERANCE.get(name, 1e-6))
    expected = json.loads((HERE / name / "expected.json").read_text())[config]
    assert expected.get(metric, expected.get(f"{metric}@mean")) == compatible != pytest.approx(default, rel=1e-4)


@pytest.mark.parametrize(("name", "config"), [("det_voc", "config"), ("seg_lraspp", "resize_ann")])
def test_where_there_is_no_defect_both_are_equal(pytester: pytest.Pytester, case: Path, name: str, config: str) -> None:
    expected = json.loads((HERE / name / "expected.json").read_text())[config]
    found = measure(pytester, case, name, config)
    assert {metric: found[metric] for metric in expected} == pytest.approx(expected, rel=TOLERANCE.get(name, 1e-6))

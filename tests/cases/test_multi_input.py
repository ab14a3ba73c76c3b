"""Several inputs, with the values that the Accuracy Checker gives for the same files, modules and images."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CASE = Path(__file__).parent / "multi_input"
EXPECTED = json.loads((CASE / "expected.json").read_text())
RESIZED_INFO = "{name: im_info, type: IMAGE_INFO, shape: [1, 3]}"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "multi_input"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CASE.parent))
        patch.syspath_prepend(str(CASE))
        from make_images import make
    make(folder)
    shutil.copytree(CASE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


Measure = Callable[..., dict[str, dict[str, float]]]


@pytest.fixture
def measure(case: Path, pytester: pytest.Pytester) -> Measure:
    shutil.copytree(case, pytester.path, dirs_exist_ok=True)
    for path in pytester.path.glob("*.yml"):  # another name where they lie, so that they are not collected there
        path.rename(path.with_suffix(".launcher.yml"))

    def run(*arguments: str) -> dict[str, dict[str, float]]:
        result = pytester.runpytest_inprocess("--launcher-record", "--launcher-json=out.json", *arguments)
        assert result.parseoutcomes().keys() <= {"passed", "warnings"}, result.stdout.str()
        evaluations = json.loads((pytester.path / "out.json").read_text())["evaluations"]
        return {e["model"].removeprefix("multi_"): {m["name"]: m["value"] for m in e["metrics"]} for e in evaluations}

    return run


def _replace(pytester: pytest.Pytester, old: str, new: str, name: str = "*.launcher.yml") -> None:
    for path in pytester.path.glob(name):
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


def test_option(measure: Measure) -> None:
    assert measure("--launcher-compat=accuracy_checker") == EXPECTED


def test_ini(measure: Measure, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nlauncher_compat = accuracy_checker\n")
    assert measure() == EXPECTED


def test_file(measure: Measure, pytester: pytest.Pytester) -> None:
    _replace(pytester, "models:\n", "compat: accuracy_checker\nmodels:\n")
    assert measure() == EXPECTED


@pytest.mark.parametrize("batch", [1, 16, 64])
def test_values_do_not_depend_on_the_batch(measure: Measure, pytester: pytest.Pytester, batch: int) -> None:
    _replace(pytester, "batch: 4", f"batch: {batch}", "[pt]*.launcher.yml")
    _replace(pytester, "batch: 3", f"batch: {batch}", "infos.launcher.yml")
    assert measure("--launcher-compat=accuracy_checker") == EXPECTED


def test_without_compat_image_info_is_the_original_size(measure: Measure, pytester: pytest.Pytester) -> None:
    _replace(pytester, "mi_model.TwoViews", "mi_model.Original", "twoviews.launcher.yml")
    _replace(pytester, "{name: a, type: INPUT, value: 'img_.*'}", "{name: img, type: INPUT}", "twoviews.launcher.yml")
    inputs = "{name: im_info, type: IMAGE_INFO}\n          - {name: orig, type: ORIG_IMAGE_INFO, shape: [3]}"
    _replace(pytester, "{name: b, type: INPUT, value: '.*', layout: NWHC}", inputs, "twoviews.launcher.yml")
    assert list(measure("twoviews.launcher.yml")["twoviews"]) == ["acc", "top3"]
    result = pytester.runpytest_inprocess("infos.launcher.yml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["infos.launcher.yml:7:17: module: forward of mi_model.Infos raised AssertionError*"])


def test_of_resized_gives_the_same_without_compat(measure: Measure, pytester: pytest.Pytester) -> None:
    for size in (3, 6):
        _replace(pytester, f"IMAGE_INFO, shape: [1, {size}]", f"IMAGE_INFO, of: resized, shape: [1, {size}]", "infos.*")
    _replace(pytester, "ORIG_IMAGE_INFO, of: resized", "ORIG_IMAGE_INFO", "infos.*")
    assert measure() == EXPECTED

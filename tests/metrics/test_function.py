"""The function metric."""

from __future__ import annotations

import sys
import textwrap

import numpy as np
import pytest

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.function import Function
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import DatasetMeta, Label, Named, Text

OWN = ["function"]
MINIMAL = {"function": {"function": "package.function"}}

EXPECTED = "a number, a mapping of names to numbers, or one number a sample expected"
ANNOTATIONS = [Label(0), Label(1), Label(1), Named({"a": Text("x")})]
PREDICTIONS = [Label(0), Label(0), Label(1), Text("y")]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes a module of the project and returns its name, another one each time."""
    known = set(sys.modules)
    folder = tmp_path / "project"
    folder.mkdir()

    def write(code, name="measures", place=folder):
        place.mkdir(exist_ok=True)
        (place / f"{name}.py").write_text(textwrap.dedent(code))
        return place

    yield write
    for name in set(sys.modules) - known:
        del sys.modules[name]


def measured(metric, annotations=ANNOTATIONS, predictions=PREDICTIONS):
    evidence = [*metric.observe(annotations[:2], predictions[:2]), *metric.observe(annotations[2:], predictions[2:])]
    return metric.summarize(evidence, DatasetMeta())


def returning(project, expression, **options):
    folder = project(f"import math, numpy, torch\ndef measure(annotations, predictions):\n    return {expression}\n")
    return construct(Function, {"function": "measures.measure", "python_path": folder, **options}, Context())


def test_it_is_called_once_with_all_objects(project):
    folder = project(
        """
        calls = []
        def measure(annotations, predictions):
            calls.append((annotations, predictions))
            return 0.25
        """
    )
    result = measured(Function(function="measures.measure", python_path=(folder,)))
    assert result.value == 0.25
    ((annotations, predictions),) = sys.modules["measures"].calls
    assert (annotations, predictions) == (ANNOTATIONS, PREDICTIONS)
    assert (type(annotations), type(predictions)) == (list, list)


@pytest.mark.parametrize(
    "expression", ["2.5", "numpy.float32(2.5)", "numpy.array(2.5)", "torch.tensor(2.5)", "torch.tensor(2.5).double()"]
)
def test_a_number_is_the_value(project, expression):
    result = measured(returning(project, expression))
    assert (result.value, type(result.value)) == (2.5, float)
    assert (result.components, result.per_sample, result.higher_is_better, result.bounded) == ({}, None, True, False)


@pytest.mark.parametrize("number", ["1", "True"])
def test_whole_numbers_are_numbers(project, number):
    assert measured(returning(project, number)).value == 1.0


def test_a_mapping_holds_the_components(project):
    result = measured(returning(project, "{'cat': 1, 'dog': torch.tensor(0.5)}", higher_is_better=False))
    assert (result.value, result.components) == (0.75, {"cat": 1.0, "dog": 0.5})
    assert (result.per_sample, result.higher_is_better) == (None, False)


@pytest.mark.parametrize(
    "expression",
    [
        "[a == p for a, p in zip(annotations, predictions)]",
        "(1, 0, 1.0, 0)",
        "numpy.array([1, 0, 1, 0])",
        "torch.tensor([1.0, 0, 1, 0])",
    ],
)
def test_a_number_a_sample(project, expression):
    result = measured(returning(project, expression))
    assert (result.value, result.components) == (0.5, {})
    np.testing.assert_array_equal(result.per_sample, [1.0, 0.0, 1.0, 0.0])


def test_a_sample_without_a_number_leaves_none(project):
    assert np.isnan(measured(returning(project, "[1, 2, 3, math.nan]")).value)


def test_evidence_may_be_resampled(project):
    metric = returning(project, "[a == p for a, p in zip(annotations, predictions)]")
    evidence = metric.observe(ANNOTATIONS, PREDICTIONS)
    result = metric.summarize([evidence[0], evidence[0], evidence[1]], DatasetMeta())
    assert result.per_sample.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("None", "a NoneType"),
        ("'0.5'", "a str"),
        ("[0.5, 'x', 1, 2]", "a list"),
        ("[[1, 2], [3], 4, 5]", "a list"),
        ("torch.tensor(1.0, requires_grad=True)", "a Tensor"),
        ("[1.0, 2.0]", "2 numbers for 4 samples"),
        ("numpy.zeros((4, 1))", "an array (4, 1)"),
        ("{'a': [1, 2]}", "an array (2,)"),
        ("{'a': None}", "a NoneType"),
        ("{}", "an empty mapping"),
    ],
)
def test_what_it_may_not_return(project, expression, found):
    with pytest.raises(DataError) as caught:
        measured(returning(project, expression))
    assert str(caught.value) == f"measures.measure returned {found}, {EXPECTED}"


def test_an_exception_of_the_function_is_not_touched(project):
    with pytest.raises(ZeroDivisionError):
        measured(returning(project, "1 / 0"))


def test_without_samples_nothing_is_called(project):
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for measures\.measure$"):
        returning(project, "1 / 0").summarize([], DatasetMeta())


def test_a_folder_of_modules_is_importable_only_meanwhile(project):
    folder = project("from helpers.counts import count as measure\n")
    project("def count(annotations, predictions):\n    return len(annotations)\n", "counts", folder / "helpers")
    before = list(sys.path)
    assert measured(Function(function="measures.measure", python_path=(folder,))).value == 4.0
    assert measured(Function(function="helpers.counts.count", python_path=(folder,))).value == 4.0
    assert sys.path == before


def test_what_is_importable_anyway():
    metric = Function(function="operator.ne")
    assert metric.summarize(metric.observe([Label(1)], [Label(0)]), DatasetMeta()).value == 1.0


def first_error(**options):
    with pytest.raises(OutputError) as caught:
        construct(Function, options, Context()).observe([], [])
    return str(caught.value)


def test_an_unknown_module_is_told_with_the_first_batch():
    assert first_error(function="nowhere.measure") == (
        "function: nowhere.measure cannot be imported: No module named 'nowhere'; install it, or set python_path to "
        "the folder that holds it"
    )


def test_a_module_that_needs_another(project):
    folder = project("import nowhere\n", "counts", project("") / "helpers")
    error = first_error(function="helpers.counts.count", python_path=folder.parent)
    assert error.startswith("function: helpers.counts.count cannot be imported: No module named 'nowhere'; ")


def test_an_unknown_name(project):
    folder = project("def measure(): ...\n")
    assert first_error(function="measures.mesure", python_path=folder) == (
        "function: measures has no part 'mesure'; did you mean 'measure'?"
    )
    project("", "counts", folder / "helpers")
    assert first_error(function="helpers.sums.count", python_path=folder) == "function: helpers has no part 'sums'"


def test_what_is_no_function(project):
    folder = project("measure = 3\n")
    assert first_error(function="measures.measure", python_path=folder) == (
        "function: measures.measure is of type int, a function expected"
    )


def test_another_module_of_that_name(project, tmp_path):
    one = project("def measure(annotations, predictions):\n    return 1\n")
    other = project("def measure(annotations, predictions):\n    return 2\n", place=tmp_path / "other")
    assert measured(Function(function="measures.measure", python_path=(one,))).value == 1.0
    assert measured(Function(function="measures.measure", python_path=(other, one))).value == 1.0
    assert first_error(function="measures.measure", python_path=other) == (
        f"function: a module 'measures' was imported before from {one / 'measures.py'}, that in {other} expected; "
        "rename one of them"
    )


def test_a_path_that_is_no_folder(tmp_path):
    assert first_error(function="a.b", python_path=tmp_path / "nowhere") == (
        f"python_path: {tmp_path / 'nowhere'} is not a folder; a folder of Python modules expected"
    )


@pytest.mark.parametrize("path", ["measure", "a..b", "a/b.measure", "a.1b", ""])
def test_what_is_no_dotted_path(path):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Function(function=path)
    assert str(caught.value) == f"function: {path!r} found, a dotted path such as package.module.name expected"

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from pytest_torchlauncher.errors import Position
from pytest_torchlauncher.kinds import Preprocessor
from pytest_torchlauncher.located import located
from pytest_torchlauncher.options import ByType, Component, OneOrMany, PositiveInt, Spec, Where, construct
from pytest_torchlauncher.paths import AnnotationPath, Context, DataPath, FilePath, ModelPath, Roots
from pytest_torchlauncher.registry import register

PLACE = Position(Path("/project/a.launcher.yml"), 3, 5)


@dataclass(frozen=True)
class Inner(Spec):
    size: PositiveInt


@dataclass(frozen=True)
class Outer(Spec):
    name: str
    ratio: float = 0.5
    flag: bool = False
    tags: Annotated[tuple[str, ...], OneOrMany] = ()
    inner: Inner | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Annotated[Component[Preprocessor], ByType], ...] = ()
    where: Where = field(default_factory=Where, compare=False)


def problems(raw, cls=Outer):
    with pytest.raises(ValidationError) as error:
        construct(cls, located(raw, PLACE), Context())
    return {".".join(map(str, d["loc"])): d["msg"] for d in error.value.errors(include_url=False)}


def test_values_become_what_the_signature_says():
    raw = {"name": "a", "ratio": "1e-3", "tags": "x", "inner": {"size": 3}, "extra": {"deep": [1]}}
    outer = construct(Outer, located(raw, PLACE), Context())
    assert outer == Outer("a", 0.001, tags=("x",), inner=Inner(3), extra={"deep": [1]})
    assert outer.where.own == PLACE
    assert outer.where["name"] == PLACE


def test_a_finished_object_passes_through():
    assert construct(Outer, {"name": "a", "inner": Inner(2)}, Context()).inner == Inner(2)


def test_every_problem_is_found_at_once():
    assert problems({"ratio": "much", "flag": "perhaps", "inner": {"size": 0, "sizes": 1}, "nam": 1}) == {
        "name": "missing, and required",
        "ratio": "'much' found, a number expected",
        "flag": "'perhaps' found, true or false expected",
        "inner.size": "0 found, at least 1 expected",
        "inner.sizes": "unknown key; did you mean 'size'?",
        "nam": "unknown key; did you mean 'name'?",
    }


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", 3, "3 found, text expected"),
        ("name", None, "nothing found, text expected"),
        ("name", {"a": 1}, "a mapping found, text expected"),
        ("ratio", True, "true found, a number expected"),
        ("ratio", float("inf"), "inf found, a finite number expected"),
        ("inner", [1], "a list found, a mapping expected"),
        ("extra", 3, "3 found, a mapping expected"),
        ("tags", {"a": 1}, "a mapping found, text expected"),
        ("steps", 3, "3 found, a list expected"),
        ("zzz", 3, "unknown key; known are name, ratio, flag, tags, inner, extra, steps"),
    ],
)
def test_each_problem_says_what_was_found_and_expected(key, value, message):
    assert message in problems({"name": "a", key: value}).values()


def test_braces_in_text_stay():
    assert problems({"name": "a", "ratio": "{x}"}) == {"ratio": "'{x}' found, a number expected"}


def test_signatures_that_cannot_be_a_schema():
    class Loose:
        def __init__(self, **options: int) -> None: ...

    with pytest.raises(TypeError, match=r"\*args and \*\*kwargs cannot be options of a launcher file"):
        construct(Loose, {}, Context())


@dataclass(frozen=True, kw_only=True)
class Blur(Preprocessor):
    """A step for these tests."""

    size: int
    table: DataPath | None = None
    weights: tuple[float, ...] = ()

    def __post_init__(self):
        if self.size == 13:
            raise ValueError("size: 13 is no size")

    def apply(self, sample):
        return sample


@pytest.fixture
def blur():
    register("test_blur")(Blur)


def test_components_know_name_options_and_place(blur):
    outer = construct(Outer, located({"name": "a", "steps": [{"type": "test_blur", "size": 3}]}, PLACE), Context())
    (step,) = outer.steps
    assert (step.name, dict(step.options), step.block) == ("test_blur", {"size": 3}, Blur(size=3))
    assert step.where["size"] == PLACE


def test_a_definition_holds_what_was_given_and_no_folder(blur, tmp_path):
    step = Component.build(
        Preprocessor, {"type": "test_blur", "weights": [1, 2.5], "table": str(tmp_path / "a.txt"), "size": 3}
    )
    assert str(step) == "test_blur(size=3, table=a.txt, weights=[1, 2.5])"


def test_components_with_problems(blur):
    def of(step):
        return problems({"name": "a", "steps": [step]})

    assert of({"type": "test_blur"}) == {"steps.0.size": "missing, and required"}
    assert of({"type": "test_blur", "size": 13}) == {"steps.0": "size: 13 is no size"}
    assert "did you mean 'test_blur'?" in of({"type": "test_blurr"})["steps.0.type"]
    assert of({"size": 3}) == {"steps.0": "no 'type' found, the name of one expected"}
    assert of(3) == {"steps.0": "3 found, a name or a mapping with 'type' expected"}


@pytest.mark.parametrize(
    ("annotation", "root", "both"),
    [(DataPath, "data", "root"), (AnnotationPath, "annotations", "root"), (ModelPath, "models", "beside")],
)
def test_paths_lie_beside_the_file_or_below_their_root(tmp_path, annotation, root, both):
    @dataclass(frozen=True)
    class Holder:
        path: annotation

    def resolved(name, roots):
        return construct(Holder, located({"path": name}, place), roots).path

    place = Position(tmp_path / "beside" / "a.launcher.yml", 1, 1)
    roots = Context(Roots(**{root: tmp_path / "root"}))
    for folder, name in (("beside", "here"), ("root", "there"), ("beside", "both"), ("root", "both")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()
    assert resolved("here", Context()) == tmp_path / "beside" / "here"
    assert resolved("here", roots) == tmp_path / "beside" / "here"
    assert resolved("there", roots) == tmp_path / "root" / "there"
    assert resolved("both", roots) == tmp_path / both / "both"
    assert resolved(str(tmp_path / "root" / "there"), Context()) == tmp_path / "root" / "there"


def test_a_file_path_knows_no_root(tmp_path):
    @dataclass(frozen=True)
    class Holder:
        path: FilePath

    place = Position(tmp_path / "a.launcher.yml", 1, 1)
    roots = Context(Roots(tmp_path / "x", tmp_path / "x", tmp_path / "x"))
    assert construct(Holder, located({"path": "folder"}, place), roots).path == tmp_path / "folder"


@pytest.mark.parametrize("value", [3, "", None, ["a"]])
def test_anything_else_is_no_path(value):
    @dataclass(frozen=True)
    class Holder:
        path: DataPath

    (message,) = problems({"path": value}, Holder).values()
    assert message.endswith(" found, a path expected")


def test_given_options_stand_in_the_order_of_the_signature():
    # The text of a component is what other processes compare it by, and a set has another order in each.
    component = Component.build(Preprocessor, {"type": "normalization", "std": 2, "mean": 1})
    assert list(component.options) == ["mean", "std"]

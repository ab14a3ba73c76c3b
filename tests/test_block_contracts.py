"""What holds for every block of every kind."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from pytest_torchlauncher import kinds
from pytest_torchlauncher.errors import LauncherError
from pytest_torchlauncher.options import Component, construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.reference_names import REFERENCE_NAMES
from pytest_torchlauncher.registry import lookup, names, register
from pytest_torchlauncher.schema.launcher_files import launcher_schema

KINDS = {
    kind.kind: kind
    for kind in (
        kinds.Adapter,
        kinds.Converter,
        kinds.Metric,
        kinds.Postprocessor,
        kinds.Preprocessor,
        kinds.Reader,
    )
}
TESTS = Path(__file__).parent


def literals(name):
    """Yield kind and value of every top-level ``name = …`` in the tests of the blocks, where a block's needs stand."""
    for path in sorted(TESTS.glob("*/test_*.py")):
        if path.parent.name not in KINDS:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                yield path.parent.name, ast.literal_eval(node.value)


OWN = {(kind, block) for kind, blocks in literals("OWN") for block in blocks}
"""Names that the Accuracy Checker has not."""
MINIMAL = {(kind, block): options for kind, blocks in literals("MINIMAL") for block, options in blocks.items()}
"""Options without which a block cannot be built."""
BLOCKS = [
    (kind, name)
    for kind in KINDS
    for name in names(kind)
    if lookup(kind, name).__module__.startswith("pytest_torchlauncher.")
]

every_block = pytest.mark.parametrize(("kind", "name"), BLOCKS, ids=[f"{kind}-{name}" for kind, name in BLOCKS])


def built(kind, name):
    return construct(lookup(kind, name), MINIMAL.get((kind, name), {}), Context())


def test_the_classification_path_is_there():
    assert set(BLOCKS) >= {
        ("adapters", "classification"),
        ("converters", "cifar"),
        ("converters", "cls_dataset_folder"),
        ("converters", "imagenet"),
        ("converters", "mnist"),
        ("metrics", "accuracy"),
        ("metrics", "accuracy_per_class"),
        ("preprocessing", "bgr_to_gray"),
        ("preprocessing", "bgr_to_rgb"),
        ("preprocessing", "crop"),
        ("preprocessing", "normalization"),
        ("preprocessing", "resize"),
        ("preprocessing", "rgb_to_bgr"),
        ("preprocessing", "torchvision"),
        ("readers", "numpy_reader"),
        ("readers", "opencv_imread"),
        ("readers", "pillow_imread"),
    }


@every_block
def test_it_is_a_final_class_of_its_kind(kind, name):
    block = lookup(kind, name)
    bases = block.__mro__[1 : block.__mro__.index(KINDS[kind])]
    assert all(base.__module__.startswith(f"pytest_torchlauncher.{kind}._") for base in bases)
    assert block.__subclasses__() == []
    assert not inspect.isabstract(block)
    assert block.__module__.startswith(f"pytest_torchlauncher.{kind}.")


@every_block
def test_it_is_a_frozen_dataclass_of_keywords(kind, name):
    block = lookup(kind, name)
    assert dataclasses.is_dataclass(block)
    assert block.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(block))


@every_block
def test_it_documents_itself_and_its_options(kind, name):
    block = lookup(kind, name)
    assert "__doc__" in vars(block)
    assert not block.__doc__.startswith(f"{block.__name__}(")
    documented = "\n".join(filter(None, map(inspect.getdoc, block.__mro__[:-1])))
    for field in dataclasses.fields(block):
        assert f"    {field.name}: " in documented, field.name


@every_block
def test_it_is_built_from_options_and_equal_to_its_like(kind, name):
    assert built(kind, name) == built(kind, name)
    assert isinstance(built(kind, name), KINDS[kind])
    assert hash(built(kind, name)) == hash(built(kind, name))


@every_block
def test_it_is_built_by_its_name(kind, name):
    selector = KINDS[kind].selector
    component = Component.build(KINDS[kind], {selector: name, **MINIMAL.get((kind, name), {})})
    assert component.block == built(kind, name)
    assert str(component).startswith(f"{name}(")


@every_block
def test_its_name_is_the_references_or_its_own(kind, name):
    assert name in REFERENCE_NAMES[kind] or (kind, name) in OWN


@every_block
def test_it_refuses_unknown_options(kind, name):
    block = lookup(kind, name)
    options = MINIMAL.get((kind, name), {})
    with pytest.raises(ValueError, match="unknown key"):
        construct(block, {**options, "no_such_option": 1}, Context())
    for field in dataclasses.fields(block):
        with pytest.raises(ValueError, match=f"unknown key; did you mean '{field.name}'"):
            construct(block, {**options, f"{field.name}s": 1}, Context())


@every_block
def test_its_name_cannot_be_taken(kind, name):
    present = lookup(kind, name)
    other = type("Other", (KINDS[kind],), {"__module__": "elsewhere"})
    with pytest.raises(ValueError, match="is registered twice") as caught:
        register(name)(other)
    assert str(caught.value) == (
        f"{kind}: {name!r} is registered twice, by {present.__module__}.{present.__qualname__} and by elsewhere.Other; "
        "give one of them another name"
    )
    assert lookup(kind, name) is present


@pytest.mark.parametrize(
    ("kind", "name", "suggestion"),
    [
        ("adapters", "clasification", "classification"),
        ("converters", "image_net", "imagenet"),
        ("metrics", "acuracy", "accuracy"),
        ("preprocessing", "normalisation", "normalization"),
        ("readers", "opencv_imred", "opencv_imread"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(kind, name, suggestion):
    with pytest.raises(LookupError) as caught:
        lookup(kind, name)
    message = caught.value.args[0]
    assert message.startswith(f"unknown name {name!r}; did you mean {suggestion!r}?")
    assert all(known in message for known in names(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_the_reference_are_told_from_unknown_ones(kind):
    missing = sorted(REFERENCE_NAMES[kind] - set(names(kind)))[0]
    with pytest.raises(LookupError) as caught:
        lookup(kind, missing)
    assert caught.value.args[0] == f"{missing!r} is known to the Accuracy Checker, not supported here yet"


def test_importing_them_imports_no_heavy_package():
    program = (
        "import sys\n"
        "from pytest_torchlauncher.registry import names\n"
        f"found = [name for kind in {list(KINDS)!r} for name in names(kind)]\n"
        "heavy = {'torch', 'torchvision', 'cv2', 'PIL'} & set(sys.modules)\n"
        "assert len(found) > 15, found\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_errors_of_blocks_are_launcher_errors():
    with pytest.raises(LauncherError, match="is not there"):
        built("converters", "imagenet").convert()


@pytest.fixture(scope="module")
def editors_schema():
    return launcher_schema()


@every_block
def test_editors_know_it(editors_schema, kind, name):
    options = MINIMAL.get((kind, name), {})
    validator = Draft7Validator({"$ref": f"#/definitions/{kind}", "definitions": editors_schema["definitions"]})
    component = json.loads(json.dumps({KINDS[kind].selector: name, **options}))
    assert [error.message for error in validator.iter_errors(component)] == []
    assert not validator.is_valid({**component, "no_such_option": 1})
    # What must be given is told by the constructor's own checks, too.
    assert validator.is_valid(name) or options

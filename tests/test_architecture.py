"""The import rule of ARCHITECTURE.md, read from the code's own syntax trees."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_torchlauncher

PACKAGE = Path(pytest_torchlauncher.__file__).parent

LAYERS = [
    {"plugin", "__main__"},
    {"settings"},
    {"fixture"},
    {"collection", "reports"},
    {"runner"},
    {"results", "figures"},
    {"target"},
    {"gating", "history", "migration", "progress", "schema", "user_traceback"},
    {"baselines", "record"},
    {"evaluation", "config"},
    {"data", "launcher"},
    {"converters", "readers", "preprocessing", "adapters", "postprocessing", "metrics"},
    {"plan"},
    {"gate", "input_spec"},
    {"options"},
    {"paths"},
    {"registry", "located", "given_options", "refusal"},
    {"kinds", "reference_names", "boxes", "channel_values", "images", "rle", "text_arrays"},
    {"types", "extras", "cores", "workers", "noted"},
    {"errors", "reads", "opencv", "whole_files"},
]
KINDS = LAYERS[11]
EXTRAS = {"transformers", "safetensors", "faster_coco_eval", "lmdb", "rapidfuzz", "torchmetrics"}
HEAVY = {"torch", "torchvision", "cv2", "PIL"} | EXTRAS
LATE = HEAVY | {"numpy", "pydantic", "yaml", "filelock"}
LIGHT_ROOMS = {"plugin", "record", "errors", "reports", "given_options", "workers", "cores", "reads", "noted"}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _depth(room):
    return next(depth for depth, rooms in enumerate(LAYERS) if room in rooms)


def _imports(path, *, everywhere):
    """Yield the absolute names that a file imports; those under TYPE_CHECKING count as nowhere."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree) if everywhere else tree.body:
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ["pytest_torchlauncher", *path.relative_to(PACKAGE).parent.parts]
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, node.module] if node.module else base)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    room = _room(path)
    for name in _imports(path, everywhere=True):
        package, _, rest = name.partition(".")
        if package != "pytest_torchlauncher" or not rest:
            continue
        other = rest.split(".")[0]
        assert other == room or _depth(other) > _depth(room), f"{room} imports {other}"


@pytest.mark.parametrize(
    "path", [p for p in FILES if _room(p) in KINDS], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_kinds_import_only_their_own_private_helpers(path):
    for name in _imports(path, everywhere=True):
        if name.startswith(f"pytest_torchlauncher.{_room(path)}."):
            assert name.rsplit(".", 1)[1].startswith("_"), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_torch_or_images_at_its_top(path):
    assert not HEAVY & {name.partition(".")[0] for name in _imports(path, everywhere=False)}


@pytest.mark.parametrize(
    "path", [p for p in FILES if _room(p) in LIGHT_ROOMS], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_what_every_session_imports_is_light(path):
    assert not LATE & {name.partition(".")[0] for name in _imports(path, everywhere=False)}


def test_every_room_stands_in_a_layer():
    assert {_room(path) for path in FILES} == set().union(*LAYERS)


def test_importing_the_plugin_imports_nothing_heavy():
    code = "import sys, pytest_torchlauncher.plugin; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not LATE & set(loaded)
    assert "pytest" in loaded


def test_public_names_are_resolved_lazily():
    code = (
        "import sys, pytest_torchlauncher as p\n"
        "assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "assert all(getattr(p, name) for name in p.__all__)\n"
        "assert sorted(p.__all__) == p.__dir__()\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_unknown_public_name():
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        pytest_torchlauncher.Nope  # noqa: B018


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_all_lists_what_the_module_defines(path):
    tree = ast.parse(path.read_text())
    defined = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    } | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    exported = [
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        for name in ast.literal_eval(node.value)
    ]
    assert set(exported) <= defined

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_torchlauncher.config.document import read_document
from pytest_torchlauncher.errors import ConfigError
from pytest_torchlauncher.located import Row, Table, Text, locate

words = st.text(string.ascii_lowercase, min_size=1, max_size=6).map(lambda word: f"w{word}")
scalars = st.one_of(st.integers(-99, 99), st.booleans(), words, st.floats(-9, 9).map(lambda x: round(x, 3)))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=12,
)


def _plain(value):
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, str) else value


def _paths(value, path=()):
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


@given(st.dictionaries(words, trees, min_size=1, max_size=4), st.booleans())
def test_values_equal_yaml_and_every_scalar_is_found_at_its_place(tmp_path_factory, tree, flow):
    path = tmp_path_factory.mktemp("document") / "a.yml"
    path.write_text(yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False))
    document, problems = read_document(path)
    assert not problems
    assert _plain(document) == yaml.safe_load(path.read_text())
    lines = path.read_text().splitlines()
    for steps, value in _paths(tree):
        if steps and not isinstance(value, dict | list):
            where = locate(document, steps, document.where)
            text = lines[where.line - 1][where.column - 1 :]
            assert yaml.safe_load(text.split(",")[0].split("}")[0].split("]")[0].strip()) == value
        if steps and isinstance(steps[-1], str):
            where = locate(document, steps, document.where, key=True)
            assert lines[where.line - 1][where.column - 1 :].startswith(steps[-1])


def test_containers_and_text_know_their_place(launcher_file):
    document, _ = read_document(launcher_file("a:\n  - x\n  - {b: y}\n"))
    assert isinstance(document, Table)
    assert isinstance(document["a"], Row)
    assert isinstance(document["a"][0], Text)
    assert (document["a"][0].where.line, document["a"][0].where.column) == (2, 5)
    assert (document["a"][1].keys_at["b"].line, document["a"][1].keys_at["b"].column) == (3, 6)


def test_duplicate_keys_are_all_reported(launcher_file):
    path = launcher_file("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    _, problems = read_document(path)
    assert [(p.where.line, p.where.column, p.path, p.message) for p in problems] == [
        (4, 3, "b.c", "given twice, first on line 3; keep one"),
        (5, 1, "a", "given twice, first on line 1; keep one"),
    ]


def test_anchors_and_merge_keys(launcher_file):
    document, problems = read_document(launcher_file("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nsame: *b\n"))
    assert not problems
    assert document["use"] == {"x": 1, "y": 3}
    assert document["same"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "a.launcher.yml:2:1: not YAML: "),
        ("a: &x [*x]\n", "a.launcher.yml:1:4: a[0]: an alias contains itself; write the value out"),
        ("a: 1\n---\nb: 2\n", "a.launcher.yml:2:1: not YAML: but found another document"),
        ("a: \x01\n", "a.launcher.yml:1:1: not YAML: "),
    ],
)
def test_unreadable_yaml(launcher_file, text, message):
    path = launcher_file(text, "a.launcher.yml")
    with pytest.raises(ConfigError) as error:
        read_document(path)
    assert message in str(error.value)


def test_not_utf8(tmp_path):
    path = tmp_path / "a.yml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(ConfigError, match="byte 3 is not UTF-8; save the file as UTF-8"):
        read_document(path)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        read_document(tmp_path / "none.yml")


def test_unusable_keys_and_scalars(launcher_file):
    _, problems = read_document(launcher_file("? [a]\n: 1\nb: !!int x\n"))
    assert [p.message.partition(":")[0] for p in problems] == [
        "a list or mapping found as a key, a name expected",
        "'x' cannot be read",
    ]


def test_dates_stay_text(launcher_file):
    assert read_document(launcher_file("a: 2026-01-02\n"))[0]["a"] == "2026-01-02"

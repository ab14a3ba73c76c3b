"""Reference pages from signatures, docstrings and schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest_torchlauncher
from pytest_torchlauncher import plugin
from pytest_torchlauncher.given_options import ENVIRONMENT
from pytest_torchlauncher.schema.launcher_files import KINDS, launcher_schema

Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """Return the reference pages by their address."""
    definitions = launcher_schema()["definitions"]
    made = {f"reference/{kind.kind}.md": "\n".join(_kind(kind, definitions)) for kind in KINDS}
    made["reference/file.md"] = "\n".join(_file(definitions))
    made["reference/options.md"] = "\n".join(_options())
    made["reference/results.md"] = "\n".join(_results())
    return made


def _kind(kind: Any, definitions: Schema) -> Iterator[str]:
    yield f"# {kind.kind.capitalize()}\n"
    yield f"{_INTROS[kind.kind]} An entry is a name, or a mapping with `{kind.selector}` and options.\n"
    if kind.kind == "metrics":
        yield "Every metric also has the keys of [its entry](file.md#metric) in a launcher file.\n"
    shared = set(_of_metrics(definitions)) if kind.kind == "metrics" else set()
    for name in definitions[kind.kind]["else"]["properties"][kind.selector]["enum"]:
        schema = definitions[f"{kind.kind} {name}"]
        properties = schema["properties"]
        yield f"## `{name}`\n\n{_prose(properties[kind.selector].get('description', ''))}\n"
        own = {k: v for k, v in properties.items() if k not in {kind.selector, *shared}}
        yield from _table(own, schema.get("required", ()))


def _of_metrics(definitions: Schema) -> dict[str, Any]:
    properties = definitions["metrics function"]["properties"]
    names = ("name", "annotation_source", "prediction_source", "gate", "reference", "abs_threshold", "rel_threshold",
             "threshold", "presenter")  # fmt: skip
    return {name: properties[name] for name in names}


def _file(definitions: Schema) -> Iterator[str]:
    yield "# Launcher files\n"
    yield (
        "A `*.launcher.yml` file has one model at its top, or a list of `models`, as the Accuracy Checker's have. "
        "`global_definitions` names a file with definitions of launchers (by `framework`) and datasets (by `name`), "
        "over which the entries of this file are laid key by key. `marks` lists marks of pytest for all items.\n"
    )
    titles = {"model": "Model", "launcher": "Launcher", "dataset": "Dataset", "InputSpec": "Input", "Gate": "Gate",
              "FlipBudget": "Flips", "Slices": "Slices"}  # fmt: skip
    for name, title in titles.items():
        schema = definitions[name]
        yield f"## {title}\n\n{_prose(schema.get('description', ''))}\n"
        effective = {k: v for k, v in schema["properties"].items() if "Has no effect" not in v.get("description", "")}
        yield from _table(effective, schema.get("required", ()))
    yield "## Metric\n\nKeys of every entry of `metrics`, beside the options of its type.\n"
    yield from _table(_of_metrics(definitions), ())


def _options() -> Iterator[str]:
    yield "# Options of pytest\n"
    yield "What the command line says counts more than the ini file, and that more than the environment.\n"
    yield "| option | ini key | environment | what it does |\n|---|---|---|---|"
    recorder = _Recorder()
    plugin.pytest_addoption(recorder)  # type: ignore[arg-type]
    for option, (metavar, text) in recorder.options.items():
        key = option.removeprefix("--").replace("-", "_")
        ini = f"`{key}`" if key in recorder.ini else ""
        variable = f"`{ENVIRONMENT[key]}`" if key in ENVIRONMENT else ""
        yield f"| `{option}{'=' + metavar if metavar else ''}` | {ini} | {variable} | {_cell(text)} |"
    known = {option.removeprefix("--").replace("-", "_") for option in recorder.options}
    for key, text in recorder.ini.items():
        if key not in known:
            yield f"| | `{key}` | | {_cell(text)} |"


_INTROS = {
    "converters": "`annotation_conversion` of a dataset: read its annotations.",
    "readers": "`reader` of a dataset: turn the stored bytes of an item into an array; `opencv_imread` by default.",
    "preprocessing": "`preprocessing` of a dataset: steps on a sample before it reaches the model.",
    "adapters": "`adapter` of a launcher: turn raw outputs into typed predictions.",
    "postprocessing": "`postprocessing` of a dataset: steps on annotation and prediction before the metrics.",
    "metrics": "`metrics` of a dataset: what is measured and judged.",
}


class _Recorder:
    """Takes the place of pytest's parser, and remembers."""

    def __init__(self) -> None:
        self.options: dict[str, tuple[str, str]] = {}
        self.ini: dict[str, str] = {}

    def getgroup(self, *names: str) -> _Recorder:
        return self

    def addoption(self, name: str, **about: Any) -> None:
        given = SimpleNamespace(**{"metavar": "", **about})
        self.options[name] = (given.metavar, given.help)

    def addini(self, name: str, text: str, **about: Any) -> None:
        self.ini[name] = text


def _results() -> Iterator[str]:
    path = Path(pytest_torchlauncher.__file__).parent / "reports" / "results.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    yield "# Results as JSON\n"
    yield f"{_prose(schema.get('description', ''))}\n"
    place = f"pytest_torchlauncher/reports/{path.name}"
    yield f"The JSON Schema is part of the package, as `{place}`; its `$id` is `{schema['$id']}`.\n"
    yield "## The file\n"
    named = schema["$defs"]
    yield from _table(_described(schema["properties"], named), schema.get("required", ()))
    for name, part in named.items():
        if "properties" in part:
            yield f"## {name.replace('_', ' ').capitalize()}\n\n{_prose(part.get('description', ''))}\n"
            yield from _table(_described(part["properties"], named), part.get("required", ()))


def _described(properties: Schema, named: Schema) -> dict[str, Any]:
    """Return the properties, those that only refer to a definition as it stands there, unless it has a section."""
    found = {name: named.get(schema.get("$ref", "").rpartition("/")[2], {}) for name, schema in properties.items()}
    return {
        name: {**({} if "properties" in found[name] else found[name]), **_told(schema, found[name])}
        for name, schema in properties.items()
    }


def _told(schema: Schema, found: Schema) -> dict[str, Any]:
    own = dict(schema) if "properties" in found or "$ref" not in schema else {}
    return {"description": found.get("description", ""), **own}


def _table(properties: Schema, required: Any) -> Iterator[str]:
    if not properties:
        yield "No options.\n"
        return
    yield "| key | takes | default | |\n|---|---|---|---|"
    for name, schema in properties.items():
        default = "required" if name in required else _code(schema["default"]) if "default" in schema else ""
        told = schema.get("description", "")
        yield f"| `{name}` | {_type(schema)} | {default} | {_cell(told)} |"
    yield ""


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2].replace("%20", " ")
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        # Names in one of their cases, and the words for true and false not at all.
        names = dict.fromkeys(name.lower() if isinstance(name, str) else name for name in schema["enum"])
        return "" if "yes" in names else ", ".join(map(_code, names))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(filter(None, map(_type, schema["anyOf"]))))
    kind = schema.get("type", "anything")
    if kind == "array":
        item = _type(schema.get("items", {}))
        return f"list of {item}" if item != "anything" else "list"
    return " or ".join(kind) if isinstance(kind, list) else {"object": "mapping", "string": "text"}.get(kind, kind)


def _code(value: Any) -> str:
    return (
        f"`{json.dumps(value, ensure_ascii=False)}`".replace("|", "\\|")
        if not isinstance(value, str)
        else f"`{value}`"
        if value
        else '`""`'
    )


def _prose(text: str) -> str:
    return text.replace("``", "`").replace("<", "&lt;").replace("\n", "\n\n")


def _cell(text: str) -> str:
    return " ".join(_prose(text).split()).replace("|", "\\|")

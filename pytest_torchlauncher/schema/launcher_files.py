"""The schema of a whole launcher file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..config.known_keys import NO_EFFECT_KEYS
from ..config.reading import COMPATS
from ..gate import Gate, Reference
from ..kinds import Adapter, Block, Converter, Metric, Postprocessor, Preprocessor, Reader
from ..options import Option, Spec, options_of
from ..plan import DatasetSpec, LauncherSpec
from ..reference_names import FRAMEWORKS
from ..registry import lookup, names
from .docstrings import about, options_about
from .values import Schema, plain, value_schema

__all__ = ["KINDS", "launcher_schema"]

KINDS: tuple[type[Block], ...] = (Converter, Reader, Preprocessor, Adapter, Postprocessor, Metric)
_TEXT: Schema = {"type": "string"}
_NO_EFFECT = "Has no effect here: a key of the Accuracy Checker's."


def launcher_schema() -> Schema:
    """Return the JSON Schema of launcher files, with every block that is registered now.

    It is of draft 7, which editors' YAML extensions know best. What a file that names ``global_definitions`` leaves
    out may stand there: nothing is required of its entries.
    """
    strict, loose = _Definitions("", is_strict=True), _Definitions("partial ", is_strict=False)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A launcher file of pytest-torchlauncher",
        "type": "object",
        "if": {"required": ["global_definitions"]},
        "then": loose.file(),
        "else": strict.file(),
        "definitions": {**strict.all, **loose.all},
    }


class _Definitions:
    """Makes schemas that are referred to by name; `is_strict` says whether what has no default must be there."""

    def __init__(self, prefix: str, *, is_strict: bool) -> None:
        self._prefix, self._is_strict = prefix, is_strict
        self.all: dict[str, Schema] = {}

    def file(self) -> Schema:
        """Return the schema of a file, whichever its layout."""
        for kind in KINDS:
            self._kind(kind)
        marks = {
            "description": "Marks of pytest for all items of the file.",
            "type": "array",
            "items": {"anyOf": [{"type": "string", "pattern": r"^[A-Za-z]\w*$"}, {"type": "object"}]},
        }
        definitions = {"type": ["string", "null"], "description": "File with definitions of launchers and datasets."}
        shared = {**self._shared(), "marks": marks, "global_definitions": definitions}
        model = self._model()
        models = {"description": "Models, in the Accuracy Checker's layout.", **self._list(self._named("model", model))}
        several = {**_closed({**shared, "models": models}), "required": ["models"]}
        alone = _closed({**shared, **model["properties"]})
        alone["required"] = ["launchers", "datasets"]
        return {"if": {"required": ["models"]}, "then": several, "else": alone}

    def _model(self) -> Schema:
        name = {**_TEXT, "description": "Of the model; by default the file's before .launcher."}
        keys = {
            "launchers": {"description": "How the model is run.", **self._list(self._launcher())},
            "datasets": {"description": "What it is run over, and measured by.", **self._list(self._dataset())},
        }
        return {**_closed({"name": name, **keys, **self._shared()}), "required": ["name", *keys]}

    def _shared(self) -> dict[str, Schema]:
        check = "Whether an evaluation checks itself for batch dependence, randomness and a gate that sees nothing."
        return {
            "gate": self._gate(),
            "selfcheck": {"type": "boolean", "description": check, "default": False},
            "compat": {"enum": list(COMPATS), "description": "Whose numbers are reproduced, defects included."},
        }

    def _gate(self) -> Schema:
        # Draft 7 looks at nothing beside a reference.
        return {"allOf": [self._refer(Gate)], "description": "How much metrics may change; see Gate."}

    def _launcher(self) -> Schema:
        own = self._spec(LauncherSpec)
        device = {"description": options_about(LauncherSpec).get("device", ""), "default": "cpu"}
        own["properties"]["device"] = {**device, **_one_or_many(_TEXT)}
        own["properties"]["compat"] = self._shared()["compat"]
        own["properties"].update({key: {"description": _NO_EFFECT} for key in sorted(NO_EFFECT_KEYS["launcher"])})
        # A class of transformers is named by a key of its own.
        own["required"] = [key for key in own.get("required", ()) if key != "module"]
        if self._is_strict:
            own["anyOf"] = [{"required": ["module"]}, {"required": ["transformers_class", "python_path"]}]
        own["properties"]["framework"] = {"enum": sorted(FRAMEWORKS), "description": "pytorch; others are skipped."}
        other = {"required": ["framework"], "properties": {"framework": {"not": {"const": "pytorch"}}}}
        self._named("launcher", own)
        unread = {"properties": {"framework": own["properties"]["framework"]}}
        return self._named(
            "any launcher", {"type": "object", "if": other, "then": unread, "else": self._to("launcher")}
        )

    def _dataset(self) -> Schema:
        own = self._spec(DatasetSpec)
        shared = self._shared()
        own["properties"].update({key: {"description": _NO_EFFECT} for key in sorted(NO_EFFECT_KEYS["dataset"])})
        own["properties"]["annotation"] = {"description": "Pickled annotations are never read."}
        own["properties"]["dataset_meta"] = {"description": _NO_EFFECT}
        metrics = {"description": "What is measured.", **_some(self._to(Metric.kind))}
        own["properties"].update({"metrics": metrics, "gate": shared["gate"], "selfcheck": shared["selfcheck"]})
        if self._is_strict:
            own["required"] = [*own.get("required", ()), "metrics"]
            own["anyOf"] = [{"required": ["annotation_conversion"]}, {"required": ["fixture"]}]
        return self._named("dataset", own)

    def _kind(self, kind: type[Block]) -> None:
        """Define the blocks of `kind`, each under a name of its own, and what chooses among them."""
        known = names(kind.kind)
        blocks = {name: lookup(kind.kind, name) for name in known}
        chosen = [
            {
                "if": {"properties": {kind.selector: {"const": name}}, "required": [kind.selector]},
                "then": self._named(f"{kind.kind} {name}", self._block(kind, name, block)),
            }
            for name, block in blocks.items()
        ]
        alone = [name for name, block in blocks.items() if not self._is_strict or not _has_required(block)]
        described = {"enum": list(known), "description": about(kind)}
        mapping = {"type": "object", "properties": {kind.selector: described}, "allOf": chosen}
        # A definition may say of which kind a step is that has a name alone.
        mapping["required"] = [kind.selector]
        # One of both is looked at: of alternatives an editor would name the wrong one.
        self._named(kind.kind, {"if": {"type": "string"}, "then": {"enum": alone}, "else": mapping})

    def _block(self, kind: type[Block], name: str, block: type[Block]) -> Schema:
        schema = self._spec(block)
        properties = {kind.selector: {"const": name, "description": about(block)}, **schema["properties"]}
        if kind is Metric:
            properties = {**self._of_metrics(), **properties}
        return {**schema, "properties": properties}

    def _of_metrics(self) -> dict[str, Schema]:
        """Return the keys that every metric has."""
        text = {
            "name": "Of the metric, unique in its dataset; its type by default.",
            "annotation_source": "Which annotation it measures, where a sample has several.",
            "prediction_source": "Which prediction it measures, where a sample has several.",
        }
        named = {key: {**_TEXT, "description": told} for key, told in text.items()}
        return {**named, "gate": self._gate(), **self._spec(Reference)["properties"]}

    def _spec(self, cls: type[Any]) -> Schema:
        """Return the schema of the mapping that `cls` is constructed of."""
        told, options = options_about(cls), options_of(cls)
        schema = _closed({name: self._option(option, told.get(name, "")) for name, option in options.items()})
        if required := [name for name, option in options.items() if option.is_required and self._is_strict]:
            schema["required"] = required
        if text := about(cls):
            schema["description"] = text
        return schema

    def _option(self, option: Option, told: str) -> Schema:
        schema = value_schema(option.annotation, self._refer)
        if "$ref" in schema and told:
            schema = {"allOf": [schema]}
        if told:
            schema["description"] = told
        if not option.is_required:
            with suppress(TypeError):  # a path or an object, which a file cannot say
                schema["default"] = plain(option.default)
        return schema

    def _refer(self, cls: type[Any]) -> Schema:
        if issubclass(cls, Block):
            return self._to(cls.kind)
        if issubclass(cls, Spec) and f"{self._prefix}{cls.__name__}" not in self.all:
            self.all[f"{self._prefix}{cls.__name__}"] = {}  # in case it refers to itself
            self._named(cls.__name__, self._spec(cls))
        return self._to(cls.__name__)

    def _list(self, item: Schema) -> Schema:
        mapping = {"additionalProperties": item, "minProperties": 1}
        return {"if": {"type": "object"}, "then": mapping, "else": _some(item)}

    def _named(self, name: str, schema: Schema) -> Schema:
        self.all[f"{self._prefix}{name}"] = schema
        return self._to(name)

    def _to(self, name: str) -> Schema:
        return {"$ref": f"#/definitions/{self._prefix}{name}".replace(" ", "%20")}


def _has_required(block: type[Block]) -> bool:
    return any(option.is_required for option in options_of(block).values())


def _closed(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _some(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}

"""The JSON Schema of launcher files: it takes what the loader takes, and refuses what that refuses."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_torchlauncher.config.loader import load_file
from pytest_torchlauncher.config.reading import Settings
from pytest_torchlauncher.errors import ConfigError
from pytest_torchlauncher.kinds import Adapter, Reader
from pytest_torchlauncher.registry import names, register
from pytest_torchlauncher.schema.launcher_files import KINDS, launcher_schema

ROOT = Path(__file__).parents[2]
TINY_FILE = """\
launchers:
  - framework: pytorch
    module: tiny.Tiny
    python_path: .
    checkpoint: tiny.pt
    batch: 4
    adapter: classification
datasets:
  - name: greys
    data_source: images
    reader: {type: opencv_imread, reading_flag: gray}
    annotation_conversion: {converter: imagenet, annotation_file: val.txt}
    preprocessing:
      - {type: normalization, std: 255}
    metrics:
      - {type: accuracy, name: top1}
"""
FILES = sorted((ROOT / "example_project").rglob("*.launcher.yml")) + sorted((ROOT / "tests").rglob("*.launcher.yml"))


@pytest.fixture
def schema(example_blocks):
    return launcher_schema()


@pytest.fixture
def example_blocks():
    """The adapter that the example project's conftest.py registers."""
    register("log_probabilities")(type("LogProbabilities", (Adapter,), {"__module__": "example_project"}))


def problems(schema, document):
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(json.loads(json.dumps(document)))]


def test_it_is_a_schema_itself(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_reference_leads_somewhere(schema):
    def references(part):
        if isinstance(part, dict):
            yield from (part["$ref"] for _ in range("$ref" in part))
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    targets = {reference.removeprefix("#/definitions/").replace("%20", " ") for reference in references(schema)}
    assert targets <= set(schema["definitions"])
    assert {f"metrics {name}" for name in names("metrics")} <= targets


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_of_this_project_validate(schema, path):
    assert problems(schema, yaml.safe_load(path.read_text())) == []


def changed(old, new):
    assert old in TINY_FILE, old
    return TINY_FILE.replace(old, new)


BROKEN = {
    "a misspelt key of the launcher": changed("checkpoint:", "checkpont:"),
    "a batch in words": changed("batch: 4", "batch: sixteen"),
    "a batch of none": changed("batch: 4", "batch: 0"),
    "an unknown adapter": changed("adapter: classification", "adapter: clasification"),
    "an unknown option of a block": changed("{type: accuracy, name: top1}", "{type: accuracy, top: 1}"),
    "a wrong type of an option": changed("{type: accuracy, name: top1}", "{type: accuracy, top_k: two}"),
    "an unknown metric": changed("type: accuracy", "type: acuracy"),
    "an unknown converter": changed("converter: imagenet", "converter: imagnet"),
    "a missing option": changed("annotation_file: val.txt", ""),
    "a step without its options": changed("{type: normalization, std: 255}", "{type: crop, size: no}"),
    "no metrics": TINY_FILE[: TINY_FILE.index("    metrics:")],
    "no launchers": TINY_FILE[TINY_FILE.index("datasets:") :],
    "an empty list": changed("      - {type: accuracy, name: top1}", "      []"),
    "a misspelt key of the file": TINY_FILE + "gates: {margin: 0.1}\n",
    "a misspelt key of a gate": TINY_FILE + "gate: {margn: 0.1}\n",
    "an unknown test": TINY_FILE + "gate: {test: pared}\n",
    "slices by nothing": TINY_FILE + "gate: {slices: {min_samples: 3}}\n",
    "an unknown compat": TINY_FILE + "compat: accuracy_cheker\n",
    "marks that are no list": TINY_FILE + "marks: slow\n",
    "an unknown framework": changed("framework: pytorch", "framework: pytorh"),
    "no module": changed("    module: tiny.Tiny\n", ""),
    "no dataset source": changed("    annotation_conversion: {converter: imagenet, annotation_file: val.txt}\n", ""),
    "an unknown precision": changed("    batch: 4", "    batch: 4\n    precision: fp8"),
    "an unknown type of input": changed("    batch: 4", "    batch: 4\n    inputs: [{name: x, type: INPT}]"),
    "an unknown reading flag": changed("reading_flag: gray", "reading_flag: grey"),
    "models beside launchers": TINY_FILE + "models: []\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_files_do_not_validate_and_do_not_load(schema, tmp_path, text):
    path = tmp_path / "broken.launcher.yml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_file(path, Settings())
    assert problems(schema, yaml.safe_load(text))


GOOD = {
    "as it is": TINY_FILE,
    "a name alone": changed("      - {type: accuracy, name: top1}", "      - accuracy"),
    "numbers as names of precisions": changed("    batch: 4", "    batch: 4\n    precision: FP16"),
    "devices in a list": changed("    batch: 4", "    batch: 4\n    device: [cpu, cuda]"),
    "devices in a text": changed("    batch: 4", "    batch: 4\n    device: cpu,cuda"),
    "a key without effect": changed("    batch: 4", "    batch: 4\n    async_mode: true"),
    "inputs": changed(
        "    batch: 4", "    batch: 4\n    inputs: [{name: x, type: input, shape: '1,4,4', layout: nchw}]"
    ),
    "another framework": "launchers: [{framework: openvino, model: x}]\n" + TINY_FILE[TINY_FILE.index("datasets:") :],
    "gates everywhere": TINY_FILE + "gate: {margin: 0.5%, flips: {max_confident: 3}, slices: {by: class}}\n",
    "the reference's value": changed("name: top1}", "name: top1, reference: {mean: 0.9}, abs_threshold: 0.1}"),
    "marks": TINY_FILE + "marks: [slow, {skipif: \"True\", reason: x}, {xfail: null}]\n",
    "a percentage of samples": changed("    data_source: images", "    data_source: images\n    subsample_size: 10%"),
    "models": "models:\n  - name: tiny\n    " + TINY_FILE.replace("\n", "\n    "),
    "datasets as a mapping": TINY_FILE.replace("datasets:\n  - name: greys", "datasets:\n  greys:\n    name: greys"),
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_loads_validates(schema, tmp_path, text):
    path = tmp_path / "good.launcher.yml"
    path.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of keys without effect
        load_file(path, Settings())
    assert problems(schema, yaml.safe_load(text)) == []


def test_what_definitions_may_say_is_not_required(schema):
    document = yaml.safe_load(TINY_FILE) | {"global_definitions": "definitions.yml"}
    document["datasets"] = [{"name": "greys", "preprocessing": [{"type": "crop_rect"}]}]
    document["launchers"] = [{"framework": "pytorch", "module": "tiny.Tiny"}]
    assert problems(schema, document) == []
    assert problems(schema, {**document, "datasets": [{"name": "greys", "metrcs": []}]})


def test_options_are_described_with_their_defaults(schema):
    top_k = schema["definitions"]["metrics accuracy"]["properties"]["top_k"]
    assert top_k["default"] == 1
    assert top_k["minimum"] == 1
    assert top_k["description"] == "how many classes may be named."
    launcher = schema["definitions"]["launcher"]["properties"]
    assert launcher["strict"]["description"] == "whether the checkpoint's keys must be those of the module."
    assert "argmax" in schema["definitions"]["metrics accuracy"]["properties"]["type"]["description"]


def test_every_option_of_this_package_has_a_description(schema):
    bare = [
        f"{name}: {option}"
        for name, definition in schema["definitions"].items()
        for option, value in definition.get("properties", {}).items()
        if not value.get("description") and "$ref" not in value and not name.endswith("log_probabilities")
    ]
    assert bare == []


def test_a_block_without_words_and_with_odd_annotations(schema, monkeypatch):
    class Odd(Reader):
        def __init__(self, anything, function: callable = print, *, other: complex = 1j):
            pass

    Odd.__doc__ = None
    register("odd")(Odd)
    own = launcher_schema()["definitions"]["readers odd"]
    assert own["required"] == ["anything"]
    assert own["properties"]["other"] == {}
    assert (
        problems(
            launcher_schema(),
            yaml.safe_load(changed("type: opencv_imread, reading_flag: gray", "type: odd, anything: 1")),
        )
        == []
    )


def test_the_kinds_are_those_that_have_blocks():
    assert {kind.kind for kind in KINDS} == {
        "adapters", "converters", "metrics", "postprocessing", "preprocessing", "readers",
    }  # fmt: skip


def run(folder, *arguments):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_command_of_editors_and_ci_on_the_example_project(tmp_path):
    text = run(ROOT / "example_project", "pytest", "--launcher-schema")
    schema = tmp_path / "launcher.schema.json"
    schema.write_text(text)
    assert "log_probabilities" in json.loads(text)["definitions"]["adapters"]["else"]["properties"]["type"]["enum"]
    run(tmp_path, "check_jsonschema", "--check-metaschema", str(schema))
    files = map(str, (ROOT / "example_project").rglob("*.launcher.yml"))
    run(tmp_path, "check_jsonschema", "--schemafile", str(schema), *files)
    (tmp_path / "broken.yml").write_text(BROKEN["a batch in words"])
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run(tmp_path, "check_jsonschema", "--schemafile", str(schema), "broken.yml")
    assert "'sixteen' is not of type 'integer'" in failure.value.stdout


def test_it_is_the_same_each_time_and_loads_no_torch(tmp_path):
    code = (
        "import json, sys; from pytest_torchlauncher.schema.launcher_files import launcher_schema;"
        "text = json.dumps(launcher_schema());"
        "assert not {'torch', 'torchvision', 'cv2'} & set(sys.modules); print(text)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second

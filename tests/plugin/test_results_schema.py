"""What ``--launcher-json`` writes is what its published schema says, and the schema stays what it was."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import pytest_torchlauncher.reports
from pytest_torchlauncher.gating.verdict import SEVERITY
from pytest_torchlauncher.record import STATUSES
from pytest_torchlauncher.reports.json_report import VERSION

SCHEMA_FILE = Path(pytest_torchlauncher.reports.__file__).with_name("results.schema.json")
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# What readers of each version rely on: version 1 may gain optional keys (`key?`), anything else makes a version 2.
PUBLISHED = {
    1: """
results.schema: = 1
results.environment: environment or nothing
results.evaluations: list of evaluation
nothing: object
number: number|null
status: one of error improved inconclusive missing_baseline pass recorded regressed skipped stale_baseline updated
verdict: one of error improved inconclusive missing_baseline pass recorded regressed stale_baseline updated
environment.device: string
environment.device_name: string
environment.torch: string
environment.torchvision: string
environment.numpy: string
environment.cuda: string
environment.cpu_capability: string
environment.python: string
environment.plugin: string
evaluation.id: string
evaluation.model: string
evaluation.dataset: string
evaluation.device: string
evaluation.file: string
evaluation.line: integer
evaluation.status: status
evaluation.failed: boolean
evaluation.message: string
evaluation.samples: integer
evaluation.metrics: list of metric
evaluation.seconds: seconds or nothing
evaluation.changed: list of string
evaluation.run: run or nothing
evaluation.provenance: string
evaluation.flips: list of flip
evaluation.slices: list of slice
evaluation.cached: boolean
metric.name: string
metric.type: string
metric.value: number
metric.components: mapping to number
metric.higher_is_better: boolean
metric.baseline: number
metric.delta: number
metric.allowed: number
metric.verdict: verdict
metric.checks: list of check
check.against: string
check.verdict: verdict
check.baseline: number
check.allowed: number
check.lower: number
check.upper: number
check.p_value: number
check.detectable: number
check.reason: string
seconds.build: number
seconds.data: number
seconds.forward: number
seconds.metrics: number
seconds.total: number
run.batch: integer
run.batch_effective: integer
run.precision: string
run.tf32: boolean
run.compile: boolean
run.seed: integer
run.deterministic: boolean
run.channels_last: boolean
run.missing_keys: list of string
run.unexpected_keys: list of string
flip.metric: string
flip.id: string
flip.label: string|null
flip.before: string|null
flip.after: string|null
flip.confidence_before: number|null
flip.confidence_after: number|null
slice.metric: string
slice.name: string
slice.n: integer
slice.baseline: number
slice.value: number
slice.p_value: number
slice.verdict: one of pass regressed
slice.delta: number
"""
}


def listing(schema):
    """Yield a line for each key of each object, and one for each type that is no object."""
    for name, definition in {"results": schema, **schema["$defs"]}.items():
        for key, value in definition.get("properties", {}).items():
            yield f"{name}.{key}{'' if key in definition['required'] else '?'}: {described(value)}"
        if "properties" not in definition:
            yield f"{name}: {described(definition)}"


def described(value):
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "const" in value:
        return f"= {value['const']}"
    if "enum" in value:
        return f"one of {' '.join(sorted(value['enum']))}"
    if "anyOf" in value:
        return " or ".join(map(described, value["anyOf"]))
    if value["type"] == "array":
        return f"list of {described(value['items'])}"
    if "additionalProperties" in value:
        return f"mapping to {described(value['additionalProperties'])}"
    return value["type"] if isinstance(value["type"], str) else "|".join(value["type"])


def test_what_a_version_promised_stays():
    promised, now = PUBLISHED[VERSION].split("\n")[1:-1], list(listing(SCHEMA))
    assert [line for line in promised if line not in now] == []
    assert [line for line in now if line not in promised and "?: " not in line] == []
    assert SCHEMA["properties"]["schema"] == {**SCHEMA["properties"]["schema"], "const": VERSION}
    assert SCHEMA["$id"] == f"urn:pytest-torchlauncher:results:{VERSION}"


def test_words_are_those_of_the_code():
    assert set(SCHEMA["$defs"]["status"]["enum"]) == set(STATUSES)
    assert set(SCHEMA["$defs"]["verdict"]["enum"]) == {*SEVERITY, "recorded", "updated"} == {*STATUSES} - {"skipped"}


def test_every_object_is_closed_and_every_key_described():
    for definition in [SCHEMA, *SCHEMA["$defs"].values()]:
        assert definition["description"]
        if "properties" in definition:
            assert definition["additionalProperties"] is False
        for value in definition.get("properties", {}).values():
            assert value.get("description") or "$ref" in value


def check(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *map(str, arguments)], capture_output=True
    ).returncode


def test_the_schema_is_one():
    assert check("--check-metaschema", SCHEMA_FILE) == 0


@pytest.fixture
def results(pytester):
    """Run pytest and return the valid content of its JSON."""

    def run(*arguments):
        pytester.runpytest("--launcher-json=out.json", *arguments)
        content = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
        VALIDATOR.validate(content)
        return content

    return run


@pytest.fixture
def recorded(tiny, results):
    assert statuses(results("--launcher-record")) == ["recorded"]
    return tiny


def statuses(content):
    return [evaluation["status"] for evaluation in content["evaluations"]]


def gated(tiny, gate):
    tiny.replace("datasets:", f"gate: {gate}\ndatasets:")


@pytest.fixture
def regressed(recorded, results, pytester):
    """An evaluation that lost samples, and slices of it; a test that did; and a file with problems."""
    gated(
        recorded,
        "{test: paired, alpha: 0.4, margin: 0.01, flips: {max_confident: 0}, slices: {by: class, min_samples: 2}}",
    )
    recorded.save_centers(0.9, 0.5, 0.1)
    (pytester.path / "test_net.py").write_text(
        "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n"
    )
    (pytester.path / "broken.launcher.yml").write_text("name: broken\n")
    content = results()
    assert sorted(statuses(content)) == ["error", "regressed", "regressed"]
    return content


def test_a_regression_with_flips_slices_and_checks(regressed, pytester):
    evaluation = regressed["evaluations"][-1]
    assert evaluation["flips"]
    assert {result["verdict"] for result in evaluation["slices"]} == {"pass", "regressed"}
    assert [found["against"] for found in evaluation["metrics"][0]["checks"]] == ["baseline", "flips", "slices"]
    assert check("--schemafile", SCHEMA_FILE, pytester.path / "out.json") == 0


def test_what_passes_and_what_is_cached(recorded, results, monkeypatch):
    # What other tests imported into this process.
    monkeypatch.setattr("pytest_torchlauncher.results.results._UNSEEN", ())
    monkeypatch.setattr("pytest_torchlauncher.results.results.own_sources", set)
    assert statuses(results("--launcher-cache")) == ["pass"]
    (again,) = results("--launcher-cache")["evaluations"]
    assert again["cached"] is True


def test_a_missing_baseline(tiny, results):
    assert statuses(results()) == ["missing_baseline"]


def test_a_stale_baseline_and_an_update(recorded, results):
    recorded.replace("std: 255", "std: 128")
    assert statuses(results()) == ["stale_baseline"]
    assert statuses(results("--launcher-update", "--launcher-reason=steps")) == ["updated"]


def test_an_inconclusive_evaluation(recorded, results):
    gated(recorded, "{test: paired, margin: 0.01, on_inconclusive: pass}")
    recorded.save_centers(0.1, 0.5, 1.3)
    assert statuses(results()) == ["inconclusive"]


def test_an_improved_evaluation(tiny, results):
    tiny.save_centers(0.9, 0.5, 0.1)
    results("--launcher-record")
    tiny.save_centers(0.1, 0.5, 0.9)
    assert statuses(results("-W", "default")) == ["improved"]


def test_components_references_and_a_metric_that_is_gone(recorded, results, pytester):
    (pytester.path / "labels.txt").write_text("dark\ngrey\nlight\n")
    recorded.replace("annotation_file: val.txt", "annotation_file: val.txt, labels_file: labels.txt")
    recorded.replace("{type: accuracy, name: top1}", "{type: accuracy_per_class, name: classes, reference: 0.9}")
    (evaluation,) = results()["evaluations"]
    by_name = {metric["name"]: metric for metric in evaluation["metrics"]}
    assert by_name["top1"]["value"] is None
    assert set(by_name["classes"]["components"]) == {"dark", "grey", "light"}
    assert [found["against"] for found in by_name["classes"]["checks"]] == ["reference"]


def test_an_error_and_a_skip(recorded, results, pytester):
    recorded.replace("return -((image", "return float('nan') * -((image", "tiny.py")
    assert statuses(results()) == ["error"]
    (pytester.path / "val.txt").unlink()
    content = results()
    assert statuses(content) == ["skipped"]
    assert content["environment"] == {}


def test_no_evaluation_at_all(pytester, results):
    pytester.makepyfile("def test_plain(): pass")
    assert results()["evaluations"] == []


BROKEN = {
    "version": lambda content: content.update(schema=2),
    "key of the whole": lambda content: content.update(more=1),
    "no environment": lambda content: content.pop("environment"),
    "half an environment": lambda content: content["environment"].pop("torch"),
    "status": lambda content: content["evaluations"][0].update(status="passed"),
    "no status": lambda content: content["evaluations"][0].pop("status"),
    "key of an evaluation": lambda content: content["evaluations"][0].update(index=0),
    "line": lambda content: content["evaluations"][0].update(line=0),
    "half a run": lambda content: content["evaluations"][-1]["run"].pop("seed"),
    "metric": lambda content: content["evaluations"][-1]["metrics"][0].update(value="0.5"),
    "verdict": lambda content: content["evaluations"][-1]["metrics"][0].update(verdict="skipped"),
    "check": lambda content: content["evaluations"][-1]["metrics"][0]["checks"][0].update(against="base"),
    "flip": lambda content: content["evaluations"][-1]["flips"][0].update(confidence_after=1.5),
    "slice": lambda content: content["evaluations"][-1]["slices"][0].pop("n"),
    "seconds": lambda content: content["evaluations"][-1]["seconds"].update(total=-1),
}


def test_broken_documents_are_refused(regressed, tmp_path):
    for what, breaks in BROKEN.items():
        content = copy.deepcopy(regressed)
        breaks(content)
        assert not VALIDATOR.is_valid(content), what
    (tmp_path / "broken.json").write_text(json.dumps(content))
    assert check("--schemafile", SCHEMA_FILE, tmp_path / "broken.json") == 1

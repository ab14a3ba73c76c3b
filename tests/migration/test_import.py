"""Configs of the Accuracy Checker rewritten into launcher files."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml

from pytest_torchlauncher.__main__ import main
from pytest_torchlauncher.config.loader import load_file
from pytest_torchlauncher.config.reading import Settings
from pytest_torchlauncher.paths import Roots

SHARED = Path(__file__).parents[3] / "shared" / "zoo"
CONFIG = """\
# two models
models:
  - name: net/v1
    launchers:
      - framework: openvino
        model: net.xml
      - framework: pytorch
        module: nets.Net
        python_path: code
        checkpoint: net.pt
        adapter: {type: classification, classification_output: logits}
        async_mode: true
        device: CPU
    datasets:
      - name: pets
        metrics:
          - {type: accuracy, top_k: 1, reference: 0.9, abs_threshold: 1e-3}
          - type: accuracy
            name: top5
            top_k: 5
  - name: net v1
    launchers: [{framework: pytorch, module: nets.Net, adapter: classification}]
    datasets:
      - {name: digits, annotation_conversion: {converter: imagenet, annotation_file: d.txt}, metrics: [accuracy]}
  - name: other
    launchers: [{framework: onnx_runtime, model: other.onnx}]
    datasets: [{name: pets}]
global_definitions: definitions.yml
someday: later
"""
DEFINITIONS = """\
launchers:
  - {framework: pytorch, batch: 8}
datasets:
  - name: pets
    data_source: pets/images
    annotation_conversion: {converter: imagenet, annotation_file: pets.txt}
    preprocessing:
      - {type: resize, size: 224}
    metrics:
      - type: accuracy
  - name: unused
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(CONFIG)
    (tmp_path / "definitions.yml").write_text(DEFINITIONS)
    (tmp_path / "code").mkdir()
    for folder in ("data/pets/images", "models", "annotations"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "models" / "net.pt").touch()
    (tmp_path / "data" / "pets.txt").touch()
    return path


def options(path):
    folders = {"-s": "data", "-m": "models", "-a": "annotations"}
    return [part for short, name in folders.items() for part in (short, str(path.parent / name))]


def test_a_model_becomes_a_file_that_stands_alone(config, capsys):
    assert main(["import", str(config), *options(config)]) == 0
    path = config.parent / "net_v1.launcher.yml"
    written = yaml.safe_load(path.read_text())
    assert written == {
        "name": "net/v1",
        "launchers": [
            {
                "framework": "pytorch",
                "batch": 8,
                "module": "nets.Net",
                "python_path": "code",
                "checkpoint": "models/net.pt",
                "adapter": {"type": "classification", "classification_output": "logits"},
                "device": "CPU",
            }
        ],
        "datasets": [
            {
                "name": "pets",
                "data_source": "data/pets/images",
                "annotation_conversion": {"converter": "imagenet", "annotation_file": "data/pets.txt"},
                "preprocessing": [{"type": "resize", "size": 224}],
                "metrics": [
                    {"type": "accuracy", "top_k": 1, "reference": 0.9, "abs_threshold": "1e-3"},
                    {"type": "accuracy", "name": "top5", "top_k": 5},
                ],
            }
        ],
    }
    # Of two models whose files would have one name, the second is told apart.
    assert yaml.safe_load((config.parent / "net_v1-2.launcher.yml").read_text())["name"] == "net v1"
    assert f"wrote {path}" in capsys.readouterr().out.replace(os.getcwd() + os.sep, "")


def test_what_is_not_carried_over_is_said_with_its_place(config, capsys):
    assert main(["import", str(config), *options(config)]) == 0
    told = capsys.readouterr().err
    for line in (
        "config.yml:5:20: models[0].launchers[0]: launchers of framework openvino are not carried over",
        "config.yml:12:9: models[0].launchers[1].async_mode: has no effect here, left out",
        "config.yml:25:5: models[2]: no launcher with framework: pytorch, so no file is written",
        "config.yml:29:1: someday: unknown key, left out",
        "config.yml:1:1: comments are not carried over",
        "definitions.yml:3:1: datasets: 1 definitions that no model uses are left out: unused",
    ):
        assert line in told, told
    head = (config.parent / "net_v1.launcher.yml").read_text()
    assert "# config.yml:5:20: models[0].launchers[0]: launchers of framework openvino" in head
    assert "#   {framework: openvino, model: net.xml}" in head


def test_files_are_replaced_by_force_alone(config, capsys):
    other = config.parent / "net_v1.launcher.yml"
    other.write_text("mine")
    assert main(["import", str(config), *options(config)]) == 1
    assert "net_v1.launcher.yml is there already; give --force to replace it" in capsys.readouterr().err
    assert other.read_text() == "mine"
    assert main(["import", str(config), *options(config), "--force"]) == 0
    assert "net/v1" in other.read_text()
    assert not list(config.parent.glob("*.tmp"))


def test_another_folder_is_reached_from_there(config):
    out = config.parent / "tests" / "models"
    assert main(["import", str(config), *options(config), "--output", str(out)]) == 0
    launcher = yaml.safe_load((out / "net_v1.launcher.yml").read_text())["launchers"][0]
    assert launcher["python_path"] == "../../code"
    assert launcher["checkpoint"] == "../../models/net.pt"


def test_what_lies_elsewhere_is_named_as_a_whole(config, tmp_path_factory):
    data = tmp_path_factory.mktemp("elsewhere")
    assert main(["import", str(config), "-s", str(data)]) == 0
    written = yaml.safe_load((config.parent / "net_v1.launcher.yml").read_text())
    assert written["datasets"][0]["data_source"] == f"{data}/pets/images"


def test_other_definitions_count_where_they_are_given(config, tmp_path):
    other = tmp_path / "other.yml"
    other.write_text(DEFINITIONS.replace("batch: 8", "batch: 2"))
    assert main(["import", str(config), "-d", str(other)]) == 0
    assert yaml.safe_load((tmp_path / "net_v1.launcher.yml").read_text())["launchers"][0]["batch"] == 2


def test_names_that_are_not_supported_stay_and_are_told(config, capsys):
    config.write_text(
        CONFIG.replace("{type: classification, classification_output: logits}", "{type: yolo_v9, anchors: 3}")
    )
    assert main(["import", str(config), *options(config)]) == 1
    assert "models[0].launchers[1].adapter: unknown name 'yolo_v9'" in capsys.readouterr().err
    written = yaml.safe_load((config.parent / "net_v1.launcher.yml").read_text())
    assert written["launchers"][0]["adapter"] == {"type": "yolo_v9", "anchors": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("launchers: []\n", "this is a launcher file with one model at its top already"),
        ("evaluations: []\n", "custom evaluators (evaluations) are not supported"),
        ("- 1\n", "a config of the Accuracy Checker with a list of models expected"),
        ("models: 3\n", "config.yml:1:9: there is no list of models"),
        ("models: [1]\n", "1 found in the list, a mapping expected"),
        ("models: [\n", "config.yml:2:1:"),
        ("a: 1\na: 2\nmodels: []\n", "config.yml:2:1:"),
        ("models: []\nglobal_definitions: no.yml\n", "are not there; name the file with -d"),
    ],
)
def test_bad_input_gets_one_sentence(config, capsys, text, told):
    config.write_text(text)
    assert main(["import", str(config)]) == 1
    out = capsys.readouterr()
    assert told in out.err
    assert (out.out, out.err.count("\n")) == ("", 1)


def test_a_file_or_folder_that_is_not_there(tmp_path, config, capsys):
    assert main(["import", str(tmp_path / "no.yml")]) == 1
    assert "no.yml" in capsys.readouterr().err
    assert main(["import", str(config), "-s", "nowhere"]) == 1
    assert capsys.readouterr().err == "--source: nowhere is no folder; correct the path\n"


def evaluations(path, roots=None):
    """Return what a file means, places and own paths left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = load_file(path, Settings(roots or Roots()))
    return sorted(repr(entry.evaluation) for entry in content.entries if entry.evaluation)


def test_the_written_files_mean_what_the_config_meant(config):
    folder = config.parent
    roots = Roots(folder / "data", folder / "models", folder / "annotations")
    config.write_text(CONFIG.replace("someday: later\n", ""))
    meant = evaluations(config, roots)
    assert main(["import", str(config), *options(config)]) == 0
    written = sorted(folder.glob("*.launcher.yml"))
    assert len(written) == 2
    assert [one for path in written for one in evaluations(path)] == meant


@pytest.mark.skipif(not SHARED.is_dir(), reason="the reference's configs are not here")
def test_every_leaf_of_the_references_configs_is_written_or_told(tmp_path, capsys):
    for config in sorted(SHARED.glob("*.launcher.yml")):
        out = tmp_path / config.name
        main(["import", str(config), "--output", str(out)])
        told = capsys.readouterr().err
        text = "".join(path.read_text() for path in out.glob("*")) + told
        for leaf in leaves(yaml.safe_load(config.read_text())["models"]):
            assert leaf in text, (config.name, leaf)


def leaves(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, str):
        yield value.split("\n")[0]
    else:
        yield json.dumps(value)


def test_it_imports_nothing_heavy_and_tells_how_to_use_it(config):
    code = (
        "import sys; from pytest_torchlauncher.__main__ import main;"
        f"main(['import', {str(config)!r}]);"
        "assert not {'torch', 'torchvision', 'cv2'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    shown = subprocess.run([sys.executable, "-m", "pytest_torchlauncher", "--help"], capture_output=True, text=True)
    assert "rewrite a config of the Accuracy Checker into launcher files" in shown.stdout

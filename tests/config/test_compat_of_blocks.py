"""``compat`` reaches every block that has such an option, wherever it is said."""

from dataclasses import dataclass

import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import ConfigError
from pytest_torchlauncher.kinds import Adapter, Metric, Postprocessor
from pytest_torchlauncher.options import Compat
from pytest_torchlauncher.registry import register

FILE = """\
FILE_KEY
models:
  - name: m
    MODEL_KEY
    launchers:
      - {framework: pytorch, module: m.M, adapter: test_adapter, LAUNCHER_KEY}
    datasets:
      - name: d
        fixture: f
        postprocessing: [{type: test_step, size: 3}]
        metrics: [test_metric, {type: accuracy}]
"""


@pytest.fixture(autouse=True)
def blocks():
    @register("test_adapter")
    @dataclass(frozen=True, kw_only=True)
    class TestAdapter(Adapter):
        compat: Compat = None

        def adapt(self, outputs, batch):
            return []

    @register("test_step")
    @dataclass(frozen=True, kw_only=True)
    class TestStep(Postprocessor):
        size: int
        compat: Compat = None

        def apply(self, pair):
            return pair

    @register("test_metric")
    @dataclass(frozen=True, kw_only=True)
    class TestMetric(Metric):
        compat: Compat = None

        def observe(self, annotations, predictions):
            return []

        def summarize(self, evidence, meta):
            return None


def compats(tmp_path, settings=None, **keys):
    """Return the compat of adapter, step and metric."""
    text = FILE
    for key in ("FILE_KEY", "MODEL_KEY", "LAUNCHER_KEY"):
        text = text.replace(key, keys.get(key.partition("_")[0].lower(), ""))
    path = tmp_path / "m.launcher.yml"
    path.write_text(text)
    (entry,) = load_file(path, settings or Settings()).entries
    launcher, dataset = entry.evaluation.launcher, entry.evaluation.dataset
    blocks = [launcher.adapter, dataset.postprocessing[0], entry.evaluation.metrics[0].metric]
    assert [("compat=accuracy_checker" in str(block)) for block in blocks] == [bool(b.block.compat) for b in blocks]
    assert launcher.compat == launcher.adapter.block.compat
    assert str(entry.evaluation.metrics[1].metric) == "accuracy()"
    return [block.block.compat for block in blocks]


ON, OFF = ["accuracy_checker"] * 3, [None] * 3


def test_by_default_nothing_is_compatible(tmp_path):
    assert compats(tmp_path) == OFF


@pytest.mark.parametrize("level", ["file", "model"])
def test_in_a_file_or_model(tmp_path, level):
    assert compats(tmp_path, **{level: "compat: accuracy_checker"}) == ON


def test_in_a_launcher_it_reaches_the_adapter(tmp_path):
    assert compats(tmp_path, launcher="compat: accuracy_checker") == ["accuracy_checker", None, None]


def test_the_ini_value_holds_for_files_that_say_nothing(tmp_path):
    assert compats(tmp_path, Settings(compat="accuracy_checker")) == ON
    assert compats(tmp_path, Settings(compat="accuracy_checker"), file="compat: none") == OFF
    assert compats(tmp_path, file="compat: accuracy_checker", model="compat: none") == OFF


def test_the_option_goes_before_all_files(tmp_path):
    assert compats(tmp_path, Settings(overrides={"compat": "accuracy_checker"}), file="compat: none") == ON
    assert compats(tmp_path, Settings(overrides={"compat": "none"}), file="compat: accuracy_checker") == OFF


def test_other_values_are_told_once(tmp_path):
    with pytest.raises(ConfigError) as in_file:
        compats(tmp_path, model="compat: openvino")
    message = "'openvino' found, accuracy_checker or none expected"
    assert [problem.message for problem in in_file.value.problems] == [message]
    with pytest.raises(ConfigError) as overridden:
        compats(tmp_path, Settings(overrides={"compat": "openvino"}))
    assert [(problem.path, problem.message) for problem in overridden.value.problems] == [("compat", message)]

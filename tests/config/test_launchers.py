"""``launchers`` of a file: what each key takes, several devices, ``compat``."""

import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import LauncherFileWarning

FILE = """\
name: net
launchers:
  - framework: pytorch
    module: pkg.Net
    adapter: classification
    {}
datasets:
  - {{name: data, fixture: f, metrics: [accuracy]}}
"""

SECOND = "  - {framework: pytorch, module: pkg.Net, adapter: classification, %s}\ndatasets:"


@pytest.fixture
def entries(launcher_file):
    def load(text, **settings):
        return load_file(launcher_file(text), Settings(**settings)).entries

    return load


def devices(entries):
    return {entry.id: entry.evaluation.launcher.device for entry in entries}


def two(first, second):
    return FILE.format(first).replace("datasets:", SECOND % second)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("precision: fp17", "16: launchers[0].precision: 'fp17' found, one of fp32, fp16, bf16, amp_fp16, amp_bf16 expected; did you mean 'fp16'?"),
        ("channels_last: sometimes", "20: launchers[0].channels_last: 'sometimes' found, true or false or 'auto' expected"),
        ("checkpoint_weights_only: maybe", "30: launchers[0].checkpoint_weights_only: 'maybe' found, true or false expected"),
        ("use_torch_compile: maybe", "24: launchers[0].use_torch_compile: 'maybe' found, true or false expected"),
        ("torch_compile_kwargs: 3", "27: launchers[0].torch_compile_kwargs: 3 found, a mapping expected"),
        ("strict: maybe", "13: launchers[0].strict: 'maybe' found, true or false expected"),
        ("init_method: 3", "18: launchers[0].init_method: 3 found, text expected"),
        ("checkpoint_url: 3", "21: launchers[0].checkpoint_url: 3 found, text expected"),
        ("module_args: 3", "18: launchers[0].module_args: 3 found, a list expected"),
        ("inputs: {a: 1}", "13: launchers[0].inputs: a mapping found, a list expected"),
        ("inputs: image", "13: launchers[0].inputs: 'image' found, a list expected"),
        ("inputs: [3]", "14: launchers[0].inputs[0]: 3 found, a mapping expected"),
        ("compat: acuracy_checker", "13: launchers[0].compat: 'acuracy_checker' found, accuracy_checker or none expected; did you mean 'accuracy_checker'?"),
        ("compat: 3", "13: launchers[0].compat: 3 found, accuracy_checker or none expected"),
        ("execution_provider: x", "5: launchers[0].execution_provider: unknown key; known are framework, module, "),
        ("precison: fp16", "5: launchers[0].precison: unknown key; did you mean 'precision'?"),
        ("device: banana", "13: launchers[0].device: unknown device 'banana'; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
        ("device: [cpu, gpuu]", "19: launchers[0].device[1]: unknown device 'gpuu'; did you mean 'gpu'?"),
        ("device: cpu,", "13: launchers[0].device: unknown device ''; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
        ("device: [cpu, 3]", "19: launchers[0].device[1]: 3 found, the name of a device expected"),
        ("device: {a: 1}", "13: launchers[0].device: a mapping found, the name of a device expected"),
        ("device: []", "13: launchers[0].device: an empty list found, at least one device expected"),
        ("device: [GPU, cpu, cuda]", "24: launchers[0].device[2]: cuda is named twice; name it once"),
        ("device: [cuda:0, cuda:1]", "22: launchers[0].device[1]: cuda:0 and cuda:1 both have the baseline of cuda; name one"),
        ("device: cuda,GPU:1", "13: launchers[0].device: cuda and cuda:1 both have the baseline of cuda; name one"),
    ],
)  # fmt: skip
def test_each_problem(told, line, problem):
    (found,) = told(FILE.format(line))
    assert found.startswith(f"6:{problem}")


def test_keys_of_other_frameworks_launchers_warn(entries):
    keys = "saved_model_dir execution_providers params backend device_config num_requests"
    with pytest.warns(LauncherFileWarning) as caught:
        entries(FILE.format("".join(f"{key}: x\n    " for key in keys.split())))
    assert [str(w.message) for w in caught] == [f"launchers[0].{key} has no effect here" for key in keys.split()]


def test_each_device_has_an_item(entries):
    for value in ("[cpu, GPU:1]", "cpu,cuda:1", '"CPU , Cuda:1"'):
        assert devices(entries(FILE.format(f"device: {value}"))) == {"net-data-cpu": "cpu", "net-data-cuda:1": "cuda:1"}
    assert devices(entries(FILE.format("device: [cuda]"))) == {"net-data": "cuda"}


def test_ids_have_tags_then_devices(entries):
    text = two("device: cpu,cuda\n    tags: [a, b]", "tags: c")
    assert list(devices(entries(text))) == ["net-data-a-b-cpu", "net-data-a-b-cuda", "net-data-c"]
    text = two("device: cpu,cuda", "device: [mps, xpu]")
    assert list(devices(entries(text))) == ["net-data-cpu", "net-data-cuda", "net-data-mps", "net-data-xpu"]
    assert list(devices(entries(FILE.format("device: cpu,cuda\n    tags: a")))) == ["net-data-cpu", "net-data-cuda"]


def test_a_device_knows_its_place_in_the_list(entries):
    cpu, cuda = entries(FILE.format("device: [cpu, cuda]"))
    assert [str(e.evaluation.launcher.where["device"])[-4:] for e in (cpu, cuda)] == ["6:14", "6:19"]


def test_launchers_that_share_a_baseline(told, entries):
    assert told(two("device: cuda", "device: cuda:1")) == [
        "7:76: device: cuda and cuda:1 both have the baseline of cuda; name one"
    ]
    for other in ("device: cuda:1, tags: b", "device: cuda:1, precision: fp16"):
        assert len(entries(two("device: cuda", other))) == 2


def test_devices_of_the_options_replace_those_of_the_file(entries):
    assert devices(entries(FILE.format("device: [cpu, cuda]"), overrides={"device": ("mps",)})) == {"net-data": "mps"}
    text, given = FILE.format("device: cuda"), {"device": ("cpu", "cuda")}
    assert devices(entries(text, overrides=given)) == {"net-data-cpu": "cpu", "net-data-cuda": "cuda"}


def test_launchers_that_differ_in_the_replaced_device_are_one(entries, told):
    text = two("device: cpu", "device: cuda")
    assert devices(entries(text, overrides={"device": "mps"})) == {"net-data-mps": "mps"}
    (problem,) = told(two("device: cpu", "device: cuda, batch: 2"), Settings(overrides={"device": "mps"}))
    assert "two evaluations are called 'net-data-mps'" in problem


def test_devices_of_the_ini_file_are_for_files_that_name_none(entries):
    assert devices(entries(FILE.format(""), devices=("cpu", "cuda"))) == {
        "net-data-cpu": "cpu",
        "net-data-cuda": "cuda",
    }
    assert devices(entries(FILE.format("device: mps"), devices=("cpu", "cuda"))) == {"net-data": "mps"}


@pytest.mark.parametrize(
    ("ini", "file", "model", "launcher", "option", "expected"),
    [
        (None, None, None, None, None, None),
        ("accuracy_checker", None, None, None, None, "accuracy_checker"),
        ("accuracy_checker", "none", None, None, None, None),
        (None, "accuracy_checker", None, None, None, "accuracy_checker"),
        (None, "accuracy_checker", "none", None, None, None),
        (None, "none", "accuracy_checker", None, None, "accuracy_checker"),
        (None, "accuracy_checker", None, "none", None, None),
        (None, None, "none", "accuracy_checker", None, "accuracy_checker"),
        ("accuracy_checker", "accuracy_checker", "accuracy_checker", "accuracy_checker", "none", None),
        (None, "none", "none", "none", "accuracy_checker", "accuracy_checker"),
    ],
)
def test_the_inner_compat_wins(entries, ini, file, model, launcher, option, expected):
    def line(value):
        return f"compat: {value}" if value else "# nothing"

    text = f"""\
        {line(file)}
        models:
          - name: net
            {line(model)}
            launchers:
              - framework: pytorch
                {line(launcher)}
                module: pkg.Net
                adapter: classification
            datasets: [{{name: data, fixture: f, metrics: [accuracy]}}]
        """
    (entry,) = entries(text, compat=ini or "none", overrides={"compat": option} if option else {})
    assert entry.evaluation.launcher.compat == expected


def test_compat_at_the_top_of_a_file_of_one_model(entries, told):
    (entry,) = entries("compat: accuracy_checker\n" + FILE.format(""))
    assert entry.evaluation.launcher.compat == "accuracy_checker"
    assert told("compat: yes\n" + FILE.format("")) == ["1:9: compat: true found, accuracy_checker or none expected"]


def test_a_wrong_compat_is_told_once_where_it_stands(told):
    text = two("batch: 1", "tags: a").replace("name: net", "compat: Accuracy_Checker\nname: net")
    message = "found, accuracy_checker or none expected; did you mean 'accuracy_checker'?"
    assert told(text) == [f"1:9: compat: 'Accuracy_Checker' {message}"]


def test_module_is_required_unless_transformers_has_a_folder(entries, told):
    text = FILE.replace("    module: pkg.Net\n", "")
    missing = ["3:5: launchers[0].module: missing, and required"]
    assert told(text.format("batch: 1")) == missing
    assert told(text.format("transformers_class: BertModel")) == missing
    assert told(text.format("python_path: folder")) == missing
    (entry,) = entries(text.format("transformers_class: BertModel\n    python_path: folder"))
    launcher = entry.evaluation.launcher
    assert (launcher.module, launcher.module.path) == ("transformers.BertModel", None)
    assert launcher.where["module"].line == 3


def test_the_batch_is_one_where_state_is_carried(entries):
    text = FILE.format("batch: 4\n    inputs: [{name: x, type: INPUT}]").replace("data,", "data, batch: 5,")
    (plain,) = entries(text)
    (recurrent,) = entries(text.replace("INPUT}", "INPUT}, {name: h, type: LSTM_INPUT, value: h_out, shape: [8]}"))
    assert (plain.evaluation.batch, recurrent.evaluation.batch) == (5, 1)

import textwrap

import pytest
import yaml

from pytest_torchlauncher.config.loader import Settings, load_file, model_name
from pytest_torchlauncher.errors import ConfigError, LauncherFileWarning
from pytest_torchlauncher.gate import Gate, Reference
from pytest_torchlauncher.paths import Roots
from pytest_torchlauncher.registry import names

MODEL = """\
name: net
launchers:
  - framework: pytorch
    module: pkg.Net
    adapter: classification
datasets:
  - name: data
    data_source: images
    annotation_conversion: {converter: imagenet, annotation_file: val.txt}
    metrics:
      - type: accuracy
"""


def problems_of(path, settings=None):
    with pytest.raises(ConfigError) as error:
        load_file(path, settings or Settings())
    return [str(problem).removeprefix(f"{problem.where.file.parent}/") for problem in error.value.problems]


def only(path, settings=None):
    (entry,) = load_file(path, settings or Settings()).entries
    return entry


def test_one_model_at_top_level(launcher_file):
    entry = only(launcher_file(MODEL))
    assert entry.id == "net-data"
    assert (entry.where.line, entry.where.column) == (7, 5)
    evaluation = entry.evaluation
    assert evaluation.model == "net"
    assert evaluation.batch == 1
    assert evaluation.launcher.device == "cpu"
    assert evaluation.launcher.adapter.name == "classification"
    assert [(m.name, str(m.metric)) for m in evaluation.metrics] == [("accuracy", "accuracy()")]


def test_name_defaults_to_the_file_name(launcher_file):
    path = launcher_file(MODEL.replace("name: net\n", "", 1), "my.net.launcher.yaml")
    assert model_name(path) == "my.net"
    assert only(path).id == "my.net-data"


def test_reference_layout_expands_launcher_major(launcher_file):
    path = launcher_file(
        """\
        models:
          - name: net
            launchers:
              - {framework: pytorch, module: a.B, adapter: classification, tags: [FP32]}
              - {framework: openvino, model: x.xml, adapter: yolo_v3, tags: FP16}
              - {framework: pytorch, module: a.B, adapter: classification, device: GPU}
            datasets:
              - {name: one, fixture: f, metrics: [accuracy]}
              - {name: two, fixture: f, metrics: [{type: accuracy, top_k: 5}]}
        """
    )
    entries = load_file(path, Settings()).entries
    assert [entry.id for entry in entries] == [
        "net-one-FP32",
        "net-two-FP32",
        "net-one-FP16",
        "net-two-FP16",
        "net-one-cuda",
        "net-two-cuda",
    ]
    assert [entry.skip for entry in entries[2:4]] == ["framework 'openvino' is not run here, only 'pytorch'"] * 2
    assert entries[0].evaluation.variant == "FP32"
    assert entries[4].evaluation.launcher.device == "cuda"
    assert str(entries[1].evaluation.metrics[0].metric) == "accuracy(top_k=5)"


def test_all_problems_at_once_each_at_its_place(launcher_file):
    path = launcher_file(
        """\
        name: net
        launcher: []
        launchers:
          - framework: pytorch
            modul: pkg.Net
            batch: 0
            adapter: {type: classificatio, foo: 1}
            device: gpuu
            inputs: [{name: image}]
        datasets:
          - name: data
            annotation_conversion: {converter: imagenet, annotation_fil: val.txt}
            preprocessing:
              - {type: resize, size: big}
              - {type: yolo}
              - {size: 1}
            metrics:
              - {type: accuracy, top_k: true, top: 2}
              - {type: clip_score}
              - 3
        gate: {margin: -1}
        name: again
        """
    )
    assert problems_of(path) == [
        "model.launcher.yml:2:1: launcher: unknown key; did you mean 'launchers'?",
        "model.launcher.yml:4:5: launchers[0].module: missing, and required",
        "model.launcher.yml:5:5: launchers[0].modul: unknown key; did you mean 'module'?",
        "model.launcher.yml:6:12: launchers[0].batch: 0 found, at least 1 expected",
        "model.launcher.yml:7:21: launchers[0].adapter.type: unknown name 'classificatio'; did you mean "
        f"'classification'? there are {', '.join(names('adapters'))}",
        "model.launcher.yml:8:13: launchers[0].device: unknown device 'gpuu'; did you mean 'gpu'?",
        "model.launcher.yml:9:14: launchers[0].inputs[0].type: missing, and required",
        "model.launcher.yml:12:28: datasets[0].annotation_conversion.annotation_file: missing, and required",
        "model.launcher.yml:12:50: datasets[0].annotation_conversion.annotation_fil: unknown key; "
        "did you mean 'annotation_file'?",
        "model.launcher.yml:14:30: datasets[0].preprocessing[0].size: 'big' found, a whole number expected",
        "model.launcher.yml:15:16: datasets[0].preprocessing[1].type: unknown name 'yolo'; there are "
        + ", ".join(names("preprocessing")),
        "model.launcher.yml:16:9: datasets[0].preprocessing[2]: no 'type' found, the name of one expected",
        "model.launcher.yml:18:33: datasets[0].metrics[0].top_k: true found, a number expected",
        "model.launcher.yml:18:39: datasets[0].metrics[0].top: unknown key; did you mean 'top_k'?",
        "model.launcher.yml:19:16: datasets[0].metrics[1].type: 'clip_score' is known to the Accuracy Checker, "
        "not supported here yet",
        "model.launcher.yml:20:9: datasets[0].metrics[2]: 3 found, a mapping expected",
        "model.launcher.yml:21:16: gate.margin: -1.0 found, a number of at least 0 or a percentage expected",
        "model.launcher.yml:22:1: name: given twice, first on line 1; keep one",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("module: pkg.Net", "module: [1]", "4:13: launchers[0].module: a list found, a dotted path or a file expected"),
        ("framework: pytorch\n    ", "", "3:5: launchers[0].framework: missing, and required"),
        ("    adapter: classification\n", "", "3:5: launchers[0].adapter: missing, and required"),
        ("adapter: classification", "adapter: 3", "5:14: launchers[0].adapter: 3 found, a name or a mapping with 'type' expected"),
        ("module: pkg.Net", "module: pkg.Net\n    device: gpuu", "5:13: launchers[0].device: "),
        ("module: pkg.Net", "module: pkg.Net\n    batch: 1.5", "5:12: launchers[0].batch: 1.5 found, a whole number expected"),
        ("    metrics:\n      - type: accuracy\n", "", "7:5: datasets[0].metrics: missing, and required"),
        ("    metrics:\n      - type: accuracy\n", "    metrics: []\n", "10:14: datasets[0].metrics: a list with at least one entry expected"),
        ("- type: accuracy\n", "- type: accuracy\n      - type: accuracy\n", "12:9: datasets[0].metrics[1]: a metric is called 'accuracy' already; give this one a name"),
        ("- name: data", "- nam: data", "7:5: datasets[0].name: missing, and required"),
        ("data_source: images", "data_source: 3", "8:18: datasets[0].data_source: 3 found, a path expected"),
        ("data_source: images", "subset_file: ids.txt", "8:5: datasets[0].subset_file: known to the Accuracy Checker, not supported here yet"),
        ("data_source: images", "subsample_size: some", "8:21: datasets[0].subsample_size: 'some' found, a whole number above 0 or a percentage expected"),
        ("data_source: images", "subsample_seed: -1", "8:21: datasets[0].subsample_seed: -1 found, at least 0 expected"),
        ("data_source: images", "subsample_seed: 4294967296", "8:21: datasets[0].subsample_seed: 4294967296 found, less than 4294967296 expected"),
        ("data_source: images", "subsample_size: 0", "8:21: datasets[0].subsample_size: 0 found, a whole number above 0 or a percentage expected"),
        ("data_source: images", "subsample_size: 2.5", "8:21: datasets[0].subsample_size: 2.5 found, a whole number above 0 or a percentage expected"),
        ("data_source: images", "subsample_size: true", "8:21: datasets[0].subsample_size: true found, a whole number above 0 or a percentage expected"),
        ("data_source: images", "subsample_size: -5%", "8:21: datasets[0].subsample_size: '-5%' found, a whole number above 0 or a percentage expected"),
        ("    annotation_conversion: {converter: imagenet, annotation_file: val.txt}\n", "", "7:5: datasets[0]: annotation_conversion or fixture is missing; one of them is required"),
        ("annotation_conversion: {converter: imagenet, annotation_file: val.txt}", "annotation: x.pickle", "9:17: datasets[0].annotation: pickled annotations are never read; give annotation_conversion, from which they are made"),
        ("data_source: images\n", "data_source: images\n    fixture: f\n", "8:5: datasets[0].data_source: stands beside 'fixture', which gives the samples itself; remove data_source"),
        ("name: net", "name: 3", "1:7: name: 3 found, text expected"),
        ("name: net", "name: net\nevaluations: []", "2:1: evaluations: custom evaluators are known to the Accuracy Checker, not supported here yet"),
        ("name: net", "name: net\ngate: 3", "2:7: gate: a mapping expected: gate: {margin: 0.005}"),
        ("name: net", "name: net\ngate: {margin: many}", "2:16: gate.margin: 'many' found, a number of at least 0 or a percentage expected"),
        ("name: net", "name: net\ngate: {on_improve: maybe}", "2:20: gate.on_improve: 'maybe' found, 'pass', 'warn' or 'fail' expected"),
        ("name: net", "name: net\nglobal_definitions: none.yml", "2:21: global_definitions: "),
        ("framework: pytorch", "framework: pytroch", "3:16: launchers[0].framework: unknown framework; did you mean 'pytorch'?"),
        ("framework: pytorch", "framework: zzz", "3:16: launchers[0].framework: unknown framework; 'pytorch' expected"),
        ("framework: pytorch", "tags: 3\n    framework: openvino", "3:11: launchers[0].tags: 3 found, text expected"),
        ("module: pkg.Net", "module: pkg.Net\n    tags: _a", "5:11: launchers[0].tags: '_a' found, a name of letters, digits and _ that begins with a letter expected"),
        ("name: net", "name: net\nmarks: [_x]", "2:9: marks[0]: '_x' found, the name of a mark or a mapping that begins with one expected"),
        ("name: net", "name: net\nmarks: [{parametrize: x}]", "2:9: marks[0]: {'parametrize': 'x'} found, the name of a mark"),
        ("name: net", "name: net\nmarks: [{skipif: }]", "2:9: marks[0]: None found as the condition of skipif, an expression in quotes, true or false expected"),
        ("name: net", "name: net\nmarks: [{xfail: 'True', resaon: x}]", "2:9: marks[0]: unknown key 'resaon'; did you mean 'reason'?; known are reason, strict, run"),
        ("module: pkg.Net", "module: pkg.Net\n    batch: !!int ''", "5:12: launchers[0].batch: '' cannot be read"),
        ("name: net", "<<: 3\nname: net", "1:5: << found with something else than mappings"),
        ("name: net", "name: net\nmarks: slow", "2:8: marks: a list expected: marks: [slow, {skipif: '…', reason: '…'}]"),
        ("name: net", "name: net\nmarks: [3]", "2:9: marks[0]: 3 found, the name of a mark or a mapping that begins with one expected"),
        ("name: net", "name: net\nmodels: [{name: a, launchers: [], datasets: []}]", "1:1: name: stands beside 'models'; move it into a model"),
    ],
)  # fmt: skip
def test_each_problem(launcher_file, old, new, problem):
    text = MODEL.replace(old, new, 1)
    assert text != MODEL
    assert any(found.startswith(f"model.launcher.yml:{problem}") for found in problems_of(launcher_file(text)))


@pytest.mark.parametrize("text", ["", "- a\n", "text\n"])
def test_no_mapping(launcher_file, text):
    assert problems_of(launcher_file(text)) == [
        "model.launcher.yml:1:1: a mapping expected: name, launchers, datasets …"
    ]


def test_two_evaluations_of_one_name(launcher_file):
    text = MODEL.replace("datasets:", "  - {framework: pytorch, module: pkg.Net, adapter: classification}\ndatasets:")
    (problem,) = problems_of(launcher_file(text))
    assert "two evaluations are called 'net-data-cpu'; rename one, or give the launchers tags" in problem


def test_brackets_and_colons_leave_the_id(launcher_file):
    assert only(launcher_file(MODEL.replace("name: net", "name: 'a[b]::c/d'"))).id == "a_b__c_d-data"


def test_scientific_numbers_without_a_dot(launcher_file):
    text = MODEL.replace("metrics:", "preprocessing: [{type: normalization, std: 1e-3}]\n    metrics:")
    entry = only(launcher_file(text + "gate: {margin: 1e-3}\n"))
    assert entry.evaluation.metrics[0].gate.allowed(0.5) == 0.001


def test_keys_without_effect_warn_at_their_place(launcher_file):
    path = launcher_file(MODEL.replace("module: pkg.Net", "module: pkg.Net\n    allow_reshape_input: true"))
    with pytest.warns(LauncherFileWarning, match=r"launchers\[0\].allow_reshape_input has no effect here") as caught:
        assert only(path).evaluation is not None
    assert (caught[0].filename, caught[0].lineno) == (str(path), 5)


@pytest.mark.parametrize(
    ("keys", "reference"),
    [
        ("reference: 0.733\nabs_threshold: 0.01", Reference(0.733, abs_threshold=0.01)),
        ("reference: 0.733\nthreshold: 0.01", Reference(0.733, threshold=0.01)),
        ("reference: {mean: 0.7, 'cat': 0.6}\nrel_threshold: 0.01", Reference({"mean": 0.7, "cat": 0.6}, None, 0.01)),
        ("presenter: print_vector", Reference(presenter="print_vector")),
        ("gate: {}", None),
    ],
)
def test_references_of_a_metric(launcher_file, keys, reference):
    path = launcher_file(MODEL + textwrap.indent(keys, " " * 8) + "\n")
    assert only(path).evaluation.metrics[0].reference == reference


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("reference: high", "reference: 'high' found, a number, or numbers by component, expected"),
        ("reference: {cat: true}", "reference: true found, a number, or numbers by component, expected"),
        ("reference: {}", "reference: an empty mapping found, a number or numbers by component expected"),
        ("reference: 1\nabs_threshold: -0.1", "abs_threshold: -0.1 found, at least 0.0 expected"),
        (
            "reference: 0.7\nthreshold: 0.1\nabs_threshold: 0.1",
            "threshold and abs_threshold found, which are one; give abs_threshold",
        ),
        ("refrence: 0.7", "refrence: unknown key; did you mean 'reference'?"),
        ("presenter: print_all", "presenter: 'print_all' found, 'print_scalar' or 'print_vector' expected"),
    ],
)
def test_references_that_cannot_be(launcher_file, keys, message):
    path = launcher_file(MODEL + textwrap.indent(keys, " " * 8) + "\n")
    with pytest.raises(ConfigError, match=r"datasets\[0\].metrics\[0\]") as caught:
        only(path)
    assert message in str(caught.value)


def test_thresholds_without_a_reference_warn(launcher_file):
    path = launcher_file(MODEL + "        rel_threshold: 0.01\n")
    with pytest.warns(LauncherFileWarning, match="rel_threshold has no effect without reference; give it, or gate:"):
        only(path)


def test_gates_merge_key_by_key_from_file_to_metric(launcher_file):
    path = launcher_file(
        """\
        gate: {margin: 0.1, on_improve: fail}
        models:
          - name: net
            gate: {margin: 0.2}
            launchers: [{framework: pytorch, module: a.B, adapter: classification}]
            datasets:
              - name: data
                fixture: f
                gate: {margin: "0.5%"}
                metrics:
                  - {type: accuracy, name: a}
                  - {type: accuracy, name: b, gate: {margin: 0.3, on_improve: warn}}
        """
    )
    a, b = only(path, Settings(gate=Gate(0.9))).evaluation.metrics
    assert (a.gate.margin, a.gate.on_improve, a.gate.allowed(0.8)) == ("0.5%", "fail", pytest.approx(0.004))
    assert (b.gate.margin, b.gate.on_improve) == (0.3, "warn")


def test_margin_of_the_settings_is_the_outermost(launcher_file):
    metric = only(launcher_file(MODEL), Settings(gate=Gate(0.9))).evaluation.metrics[0]
    assert metric.gate.margin == 0.9


def test_definitions_merge_shallowly_and_keep_their_places(launcher_file, tmp_path):
    (tmp_path / "definitions.yml").write_text(
        "launchers:\n"
        "  - {framework: pytorch, adapter: classification, batch: 7}\n"
        "preprocessing:\n"
        "  - {type: resize, use_pillow: true}\n"
        "datasets:\n"
        "  - name: data\n"
        "    data_source: images\n"
        "    annotation_conversion: {converter: imagenet, annotation_file: val.txt}\n"
        "    preprocessing: [{type: resize, size: 8}, {type: bgr_to_rgb}]\n"
        "    metrics: [{type: accuracy, top_k: 5}]\n"
        "  - {name: data, data_source: second}\n"
        "  - {name: other, metrics: [{type: accuracy, top_k: wrong}]}\n"
    )
    path = launcher_file(
        """\
        name: net
        global_definitions: definitions.yml
        launchers: [{framework: pytorch, module: a.B, batch: 2}]
        datasets:
          - {name: data, metrics: [{type: accuracy, top_k: 3}]}
        """
    )
    evaluation = only(path).evaluation
    assert evaluation.launcher.batch == 2
    assert [str(step) for step in evaluation.dataset.preprocessing] == [
        "resize(size=8, use_pillow=True)",
        "bgr_to_rgb()",
    ]
    assert str(evaluation.metrics[0].metric) == "accuracy(top_k=3)"
    assert evaluation.dataset.data_source == tmp_path / "images"
    path.write_text(
        path.read_text()
        .replace("name: data", "name: other, fixture: f")
        .replace(", metrics: [{type: accuracy, top_k: 3}]", "")
    )
    (problem,) = problems_of(path)
    assert problem.endswith(
        "definitions.yml:12:53: datasets[0].metrics[0].top_k: 'wrong' found, a whole number expected"
    )


def test_definitions_of_the_settings_win(launcher_file, tmp_path):
    (tmp_path / "a.yml").write_text("launchers: [{framework: pytorch, batch: 3}]\n")
    (tmp_path / "b.yml").write_text("launchers: [{framework: pytorch, batch: 4}]\n")
    path = launcher_file("global_definitions: a.yml\n" + MODEL)
    assert only(path).evaluation.batch == 3
    assert only(path, Settings(definitions=tmp_path / "b.yml")).evaluation.batch == 4


def test_paths_are_relative_to_the_file_or_below_the_roots(launcher_file, tmp_path):
    root = tmp_path / "root"
    for folder in (root / "data" / "images", root / "models", tmp_path / "beside"):
        folder.mkdir(parents=True)
    (root / "models" / "below.pt").touch()
    (root / "models" / "both.pt").touch()
    (tmp_path / "both.pt").touch()
    (tmp_path / "val.txt").touch()
    settings = Settings(Roots(root / "data", root / "models", None))
    for checkpoint, expected in {"below.pt": root / "models", "both.pt": tmp_path, "none.pt": tmp_path}.items():
        path = launcher_file(MODEL.replace("module: pkg.Net", f"module: pkg.Net\n    checkpoint: {checkpoint}"))
        assert only(path, settings).evaluation.launcher.checkpoint == expected / checkpoint
    dataset = only(path, settings).evaluation.dataset
    assert dataset.data_source == root / "data" / "images"
    assert dataset.annotation_conversion.block.annotation_file == tmp_path / "val.txt"
    assert only(path).evaluation.dataset.data_source == tmp_path / "images"


def test_overrides_replace_launcher_keys(launcher_file):
    settings = Settings(overrides={"batch": 9, "device": "CUDA:1"})
    evaluation = only(launcher_file(MODEL), settings).evaluation
    assert (evaluation.batch, evaluation.launcher.device) == (9, "cuda:1")


def test_dataset_batch_wins(launcher_file):
    assert only(launcher_file(MODEL.replace("data_source: images", "batch: 5"))).evaluation.batch == 5


def test_marks(launcher_file):
    marks = load_file(
        launcher_file(
            MODEL + "marks: [slow, {skipif: 'True', reason: r}, {xfail: , strict: true}, {timeout: 3}, {skip: why}]\n"
        ),
        Settings(),
    ).marks
    assert [(m.name, m.args, dict(m.kwargs)) for m in marks] == [
        ("slow", (), {}),
        ("skipif", ("True",), {"reason": "r"}),
        ("xfail", (), {"strict": True, "reason": marks[2].kwargs["reason"]}),
        ("timeout", (3,), {}),
        ("skip", (), {"reason": "why"}),
    ]
    assert marks[2].kwargs["reason"].endswith("model.launcher.yml, line 12")
    assert (marks[1].where.line, marks[1].where.column) == (12, 15)


FULL = """\
name: net
launchers:
  - {framework: pytorch, module: a.B, python_path: ., checkpoint: a.pt, batch: 4, adapter: classification, tags: [a],
     module_args: [1], module_kwargs: {a: 1}, output_names: [x], device: [cpu, cuda], state_key: s, precision: fp16,
     compat: none, channels_last: auto, torch_compile_kwargs: {a: 1}, init_method: m, transformers_class: c,
     inputs: [{name: x, type: INPUT, value: a, shape: [3, 8], layout: NHWC, precision: U8},
              {name: y, type: CONST_INPUT, value: [[1, 2]], per_sample: true},
              {name: z, type: IMAGE_INFO, of: resized, scale: 2, shape: "3"}]}
datasets:
  - name: data
    data_source: images
    reader: {type: opencv_imread, reading_flag: gray}
    annotation_conversion: {converter: imagenet, annotation_file: val.txt}
    preprocessing: [{type: normalization, std: 255}, {type: resize, size: 8}]
    metrics: [{type: accuracy, name: top1, top_k: 1, gate: {margin: 1}}]
    gate: {margin: 0.1}
    batch: 3
marks: [slow, {skipif: "x", reason: y}]
gate: {margin: 0.1, on_improve: pass}
compat: accuracy_checker
"""


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


@pytest.mark.parametrize("odd", [None, [], {}, "", -1, 1.5, True, "日本", [None], {"a": 1}, {1: 2}], ids=repr)
@pytest.mark.filterwarnings("ignore::pytest_torchlauncher.LauncherFileWarning")
def test_anything_anywhere_is_accepted_or_told_in_our_words(tmp_path, odd):
    for index, place in enumerate(_places(yaml.safe_load(FULL))):
        document = yaml.safe_load(FULL)
        if place:
            inner = document
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = odd
        else:
            document = odd
        path = tmp_path / f"{index}.launcher.yml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        try:
            load_file(path, Settings())
        except ConfigError as error:
            for problem in error.problems:
                assert problem.where.file == path
                assert not any(phrase in problem.message for phrase in ("Input should", "Value error", "should be"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("launchers: [{framework: pytorch, batch: 2, batch: 3}]\n", "launchers[0].batch: given twice, first on line 1"),
        ("- a\n", "definitions.yml:1:1: a mapping of launchers and datasets expected"),
        ("launchers: {a: 1}\n", "definitions.yml:1:12: launchers: a list expected"),
    ],
)
def test_problems_of_a_definitions_file(launcher_file, tmp_path, text, message):
    (tmp_path / "definitions.yml").write_text(text)
    (problem,) = problems_of(launcher_file("global_definitions: definitions.yml\n" + MODEL))
    assert message in problem

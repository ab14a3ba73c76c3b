"""``inputs`` of a launcher file: each misuse is told at its place."""

import pytest

from pytest_torchlauncher.config.loader import Settings, load_file
from pytest_torchlauncher.errors import LauncherFileWarning

FILE = """\
name: net
launchers:
  - framework: pytorch
    module: pkg.Net
    adapter: classification
    inputs:
      - {}
datasets:
  - {{name: data, fixture: f, metrics: [accuracy]}}
"""


@pytest.fixture
def inputs(launcher_file):
    def load(*entries):
        (entry,) = load_file(launcher_file(written(*entries)), Settings()).entries
        return entry.evaluation.launcher.inputs

    return load


def written(*entries):
    return FILE.format("\n      - ".join(f"{{{entry}}}" for entry in entries))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("type: INPUT", "9: launchers[0].inputs[0].name: missing, and required"),
        ("name: a", "9: launchers[0].inputs[0].type: missing, and required"),
        ("name: 3, type: INPUT", "16: launchers[0].inputs[0].name: 3 found, text expected"),
        ("name: a, type: IMGE_INFO", "25: launchers[0].inputs[0].type: 'IMGE_INFO' found, one of INPUT, CONST_INPUT, IMAGE_INFO, ORIG_IMAGE_INFO, PROCESSED_IMAGE_INFO, SCALE_FACTOR, IGNORE_INPUT, LSTM_INPUT expected; did you mean 'IMAGE_INFO'?"),
        ("name: a, type: [INPUT]", "25: launchers[0].inputs[0].type: a list found, one of INPUT, "),
        ("name: a, type: INPUT, layout: NCWX", "40: launchers[0].inputs[0].layout: 'NCWX' found, one of NCHW, NHWC, "),
        ("name: a, type: INPUT, layout: nhcw", "40: launchers[0].inputs[0].layout: 'nhcw' found, one of NCHW, NHWC, "),
        ("name: a, type: INPUT, precision: FP23", "43: launchers[0].inputs[0].precision: 'FP23' found, one of FP64, FP32, FP16, BF16, U8, U16, I8, I16, I32, I64, BOOL expected; did you mean 'FP32'?"),
        ("name: a, type: INPUT, shape: text", "39: launchers[0].inputs[0].shape: 'text' found, whole numbers with commas between them expected"),
        ("name: a, type: INPUT, shape: 'a,b'", "39: launchers[0].inputs[0].shape: 'a,b' found, whole numbers with commas between them expected"),
        ("name: a, type: INPUT, shape: '1,'", "39: launchers[0].inputs[0].shape: '1,' found, whole numbers with commas between them expected"),
        ("name: a, type: INPUT, shape: [1, x]", "43: launchers[0].inputs[0].shape[1]: 'x' found, a whole number expected"),
        ("name: a, type: INPUT, shape: [1, 0.5]", "43: launchers[0].inputs[0].shape[1]: 0.5 found, a whole number expected"),
        ("name: a, type: INPUT, shape: {a: 1}", "39: launchers[0].inputs[0].shape: a mapping found, a list expected"),
        ("name: a, type: INPUT, shape: 0", "39: launchers[0].inputs[0].shape: 0 found, sizes of at least 1, or -1 for any, expected"),
        ("name: a, type: INPUT, shape: [-2]", "40: launchers[0].inputs[0].shape[0]: -2 found, at least -1 expected"),
        ("name: a, type: INPUT, per_sample: true", "44: launchers[0].inputs[0].per_sample: belongs to CONST_INPUT, and 'a' is INPUT; remove it"),
        ("name: a, type: CONST_INPUT, value: 1, per_sample: maybe", "60: launchers[0].inputs[0].per_sample: 'maybe' found, true or false expected"),
        ("name: a, type: INPUT, scale: 2", "39: launchers[0].inputs[0].scale: belongs to IMAGE_INFO, and 'a' is INPUT; remove it"),
        ("name: a, type: ORIG_IMAGE_INFO, of: resized", "46: launchers[0].inputs[0].of: belongs to IMAGE_INFO, and 'a' is ORIG_IMAGE_INFO; remove it"),
        ("name: a, type: IMAGE_INFO, of: resizd", "41: launchers[0].inputs[0].of: 'resizd' found, 'original' or 'resized' expected"),
        ("name: a, type: IMAGE_INFO, scale: big", "44: launchers[0].inputs[0].scale: 'big' found, a number expected"),
        ("name: a, type: IMAGE_INFO, shape: [1, 4]", "44: launchers[0].inputs[0].shape: [1, 4] found, rows of 2, 3 or 6 values expected of IMAGE_INFO"),
        ("name: a, type: SCALE_FACTOR, shape: 3", "46: launchers[0].inputs[0].shape: [3] found, rows of 2 values expected of SCALE_FACTOR"),
        ("name: a, type: CONST_INPUT", "9: launchers[0].inputs[0]: value is missing; CONST_INPUT 'a' needs the constant"),
        ("name: a, type: CONST_INPUT, value: [[1, 2], [3]]", "45: launchers[0].inputs[0].value: [[1, 2], [3]] found, a number or a list of numbers, all rows alike, expected"),
        ("name: a, type: CONST_INPUT, value: [[1, 300]], precision: U8", "45: launchers[0].inputs[0].value: 300 found, which U8 cannot hold"),
        ("name: a, type: CONST_INPUT, value: -1, precision: u16", "45: launchers[0].inputs[0].value: -1 found, which U16 cannot hold"),
        ("name: a, type: CONST_INPUT, value: -129, precision: I8", "45: launchers[0].inputs[0].value: -129 found, which I8 cannot hold"),
        ("name: a, type: CONST_INPUT, value: text", "45: launchers[0].inputs[0].value: 'text' found, a number or a list of numbers, all rows alike, expected"),
        ("name: a, type: CONST_INPUT, value: 3, shape: [-1, 2]", "55: launchers[0].inputs[0].shape: [-1, 2] found, sizes to fill with 3 expected"),
        ("name: a, type: LSTM_INPUT, shape: 2", "9: launchers[0].inputs[0]: value is missing; LSTM_INPUT 'a' needs the name of the output that it carries over"),
        ("name: a, type: LSTM_INPUT, value: 3, shape: 2", "44: launchers[0].inputs[0].value: 3 found, the name of the output to carry over expected"),
        ("name: a, type: LSTM_INPUT, value: h", "9: launchers[0].inputs[0]: shape is missing; LSTM_INPUT 'a' needs the sizes of the zeros that it begins with"),
        ("name: a, type: LSTM_INPUT, value: h, shape: [-1]", "54: launchers[0].inputs[0].shape: [-1] found, the sizes of the zeros to begin with expected"),
        ("name: a, type: INPUT, value: '('", "39: launchers[0].inputs[0].value: '(' is no regular expression: missing ), unterminated subpattern at position 0"),
        ("name: a, type: INPUT, value: -1", "39: launchers[0].inputs[0].value: -1 found, a regular expression or a position from 0 expected"),
        ("name: a, type: INPUT, value: true", "39: launchers[0].inputs[0].value: true found, a regular expression or a position from 0 expected"),
        ("name: a, type: INPUT, value: [1]", "39: launchers[0].inputs[0].value: a list found, a regular expression or a position from 0 expected"),
        ("name: a, type: INPUT, valu: 1", "32: launchers[0].inputs[0].valu: unknown key; did you mean 'value'?"),
    ],
)  # fmt: skip
def test_each_problem_of_one_input(told, entry, problem):
    (found,) = told(written(entry))
    assert found.startswith(f"7:{problem}")


def test_all_problems_at_once(told):
    assert told(written("name: a, type: INPUT, layout: x", "name: b, type: INPUT, value: 1", "name: a, type: y"))[
        ::2
    ] == [
        "7:9: launchers[0].inputs[0].value: missing; where there are several, each INPUT needs a regular expression "
        "or a position",
        "9:16: launchers[0].inputs[2].name: two inputs are called 'a', the first on line 7; rename one",
    ]


def test_several_inputs_need_a_value_each(told, inputs):
    message = "missing; where there are several, each INPUT needs a regular expression or a position"
    text = written("name: a, type: INPUT, value: 0", "name: b, type: input", "name: c, type: INPUT, value: null")
    assert told(text) == [
        f"8:9: launchers[0].inputs[1].value: {message}",
        f"9:39: launchers[0].inputs[2].value: {message}",
    ]
    found = inputs("name: a, type: INPUT, value: 0", "name: b, type: INPUT, value: b.*", "name: c, type: IMAGE_INFO")
    assert [entry.value for entry in found] == [0, "b.*", None]
    assert len(inputs("name: a, type: INPUT", "name: b, type: SCALE_FACTOR")) == 2


def test_each_name_stands_once(told):
    entries = (
        "name: a, type: INPUT",
        "name: b, type: IMAGE_INFO",
        "name: a, type: IMAGE_INFO",
        "name: a, type: IGNORE_INPUT",
    )
    message = "two inputs are called 'a', the first on line 7; rename one"
    assert told(written(*entries)) == [
        f"9:16: launchers[0].inputs[2].name: {message}",
        f"10:16: launchers[0].inputs[3].name: {message}",
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        *(
            (f"name: a, type: {kind}, value: 3", "value has no effect: it is computed")
            for kind in ("IMAGE_INFO", "ORIG_IMAGE_INFO", "PROCESSED_IMAGE_INFO", "scale_factor")
        ),
        ("name: a, type: IGNORE_INPUT, value: 3", "value has no effect: IGNORE_INPUT is not fed"),
        ("name: a, type: IGNORE_INPUT, layout: NHWC", "layout has no effect: INPUT alone has a layout, and this is IGNORE_INPUT"),
        ("name: a, type: SCALE_FACTOR, layout: NHWC", "layout has no effect: INPUT alone has a layout, and this is SCALE_FACTOR"),
        ("name: a, type: CONST_INPUT, value: 1, layout: NHWC", "layout has no effect: INPUT alone has a layout, and this is CONST_INPUT"),
        ("name: a, type: LSTM_INPUT, value: h, shape: 1, layout: no", "layout has no effect: INPUT alone has a layout, and this is LSTM_INPUT"),
    ],
)  # fmt: skip
def test_keys_without_effect_warn_and_go(inputs, entry, message):
    key = message.partition(" ")[0]
    with pytest.warns(LauncherFileWarning) as caught:
        (found,) = inputs(entry)
    assert [str(w.message) for w in caught] == [f"launchers[0].inputs[0].{message}"]
    assert caught[0].lineno == 7
    assert getattr(found, key) == {"value": None, "layout": "NCHW"}[key]


@pytest.mark.filterwarnings("error::pytest_torchlauncher.LauncherFileWarning")
def test_keys_without_effect_are_problems_where_warnings_are_errors(told):
    assert told(written("name: a, type: IMAGE_INFO, value: 3")) == [
        "7:37: launchers[0].inputs[0].value: has no effect: it is computed"
    ]


def test_shape_as_list_text_and_number(inputs):
    shapes = [inputs(f"name: a, type: INPUT, shape: {shape}")[0].shape for shape in ("[1, -1]", "'1, -1'", "8", "'8'")]
    assert shapes == [(1, -1), (1, -1), (8,), (8,)]


def test_names_in_any_case(inputs):
    (found,) = inputs("name: a, type: input, layout: nhwc, precision: bf16")
    assert (found.type, found.layout, found.precision) == ("INPUT", "NHWC", "BF16")


def test_no_inputs(launcher_file):
    text = FILE.format("x").replace("inputs:\n      - x", "inputs: []")
    (entry,) = load_file(launcher_file(text), Settings()).entries
    assert entry.evaluation.launcher.inputs == ()


def test_every_input_knows_its_places(inputs):
    _, second = inputs("name: a, type: INPUT", "name: b, type: CONST_INPUT, value: 2")
    assert (second.where.own.line, second.where.own.column, second.where["value"].column) == (8, 9, 45)

"""Gates, parts of the dataset, self-check and calibration as a user meets them."""

import json

import pytest


def first(result):
    return next(line for line in result.outlines if line.startswith("FAILED")).partition(" - ")[2]


def report(pytester, *arguments):
    """Run pytest; return its result and the only evaluation of its JSON."""
    result = pytester.runpytest("--launcher-json=out.json", *arguments)
    return result, json.loads((pytester.path / "out.json").read_text())["evaluations"][0]


@pytest.fixture
def recorded(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    return tiny


def gated(tiny, gate, key="gate"):
    tiny.replace("datasets:", f"{key}: {gate}\ndatasets:")


def test_gate_keys_that_cannot_be(tiny, pytester):
    gated(tiny, "{test: pared, alpha: 0.6, flips: {}, slices: {min_samples: 0}, on_inconclusive: no}")
    result = pytester.runpytest()
    lines = "\n".join(result.outlines)
    for message in (
        "gate.test: 'pared' found, 'point' or 'paired' expected",
        "gate.alpha: 0.6 found, less than 0.5 expected",
        "gate.flips: no budget found, max_negative_rate or max_confident expected",
        "gate.slices.by: missing, and required",
        "gate.slices.min_samples: 0 found, at least 1 expected",
    ):
        assert message in lines


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("launcher_test=pared", "ini launcher_test: "),
        ("launcher_alpha=2", "ini launcher_alpha: "),
        ("launcher_margin=-1", "ini launcher_margin: '-1' found, a number of at least 0 or a percentage expected"),
        ("launcher_limit=some", "ini launcher_limit: 'some' found, a whole number above 0 or a percentage expected"),
    ],
)
def test_ini_values_that_cannot_be(tiny, pytester, ini, message):
    result = pytester.runpytest("-o", ini)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}*"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--launcher-anchor"], "--launcher-anchor belongs to --launcher-update; give both"),
        (["--launcher-calibrate=0"], "--launcher-calibrate: '0' found, a whole number of at least 1 expected"),
        (["--launcher-record", "--launcher-limit=3"], "--launcher-record needs the whole dataset*"),
        (["--launcher-update", "--launcher-limit=3"], "--launcher-update needs the whole dataset*"),
        (
            ["--launcher-prune", "-o", "launcher_limit=3"],
            "--launcher-prune needs the whole dataset; add -o launcher_limit= for the ini value",
        ),
        (["--launcher-calibrate="], "--launcher-calibrate: '' found, a whole number of at least 1 expected"),
        (
            ["-o", "launcher_selfcheck=maybe"],
            "ini launcher_selfcheck: invalid truth value 'maybe'; true or false expected",
        ),
        (
            ["--launcher-update", "--launcher-reason= "],
            "--launcher-reason: ' ' found, a text that says why expected",
        ),
        (["--launcher-limit=0"], "--launcher-limit: '0' found, a whole number above 0 or a percentage expected"),
    ],
)
def test_options_that_cannot_be(tiny, pytester, options, message):
    result = pytester.runpytest(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}"])


def test_the_project_sets_test_and_alpha(recorded, pytester):
    recorded.save_centers(0.1, 0.5, 0.75)
    _, got = report(pytester, "-o", "launcher_test=paired", "-o", "launcher_alpha=0.2")
    check = got["metrics"][0]["checks"][0]
    assert check["lower"] <= got["metrics"][0]["delta"] <= check["upper"]


def test_the_summary_says_what_changed_and_what_can_be_proven(recorded, pytester):
    gated(recorded, "{test: paired, margin: 0.5}")
    recorded.save_centers(0.1, 0.5, 0.75)
    result, got = report(pytester, "-v")
    assert got["status"] in ("pass", "improved")
    proves = got["metrics"][0]["checks"][0]["detectable"]
    result.stdout.fnmatch_lines([f"*top1 *0.9167 *can prove {proves:.4f}", "tiny-greys: other weights"])


def test_the_summary_says_what_an_update_took_over(recorded, pytester):
    recorded.replace("std: 255", "std: 255.5")
    result = pytester.runpytest("--launcher-update")
    result.stdout.fnmatch_lines(["tiny-greys: preprocessing changed: *std=255* → *std=255.5*"])
    assert "same weights" not in result.stdout.str()


def test_the_summary_of_an_error_still_names_the_baseline(recorded, pytester):
    (pytester.path / "val.txt").write_text((pytester.path / "val.txt").read_text() + "01.png 1\n")
    pytester.runpytest().stdout.fnmatch_lines(["error *tiny-greys *top1 *0.9167 *"])


def test_lost_samples_are_in_the_text_and_the_json(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    result, got = report(pytester)
    flips = got["flips"]
    assert len(flips) == 7
    assert set(flips[0]) == {"metric", "id", "label", "before", "after", "confidence_before", "confidence_after"}
    assert flips[0]["before"] == flips[0]["label"] != flips[0]["after"]
    assert flips[0]["confidence_after"] == max(flip["confidence_after"] for flip in flips)
    assert {flip["after"] for flip in flips} == {"0", "2"}
    result.stdout.fnmatch_lines(["top1: right before, wrong now:", f"  {flips[0]['id']}: *, predicted * now *"])


def test_inconclusive_passes_with_a_warning(recorded, pytester):
    gated(recorded, "{test: paired, margin: 0.01}")
    recorded.save_centers(0.1, 0.5, 1.3)
    result, got = report(pytester, "-W", "default")
    assert got["status"] == "inconclusive"
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*AccuracyInconclusiveWarning: top1 *inconclusive, difference between*would tell*"])
    result.stdout.fnmatch_lines(["inconclusive  tiny-greys  top1*"])
    pytester.runpytest("-W", "error").assert_outcomes(failed=1)


# Parts of the dataset


@pytest.mark.parametrize(("limit", "samples"), [("6", 6), ("50%", 6), ("100", 12)])
def test_a_part_is_judged_by_the_same_samples(recorded, pytester, limit, samples):
    _, got = report(pytester, f"--launcher-limit={limit}")
    assert (got["samples"], got["status"], got["metrics"][0]["delta"]) == (samples, "pass", 0.0)
    recorded.save_centers(0.9, 0.5, 0.1)
    _, got = report(pytester, "-o", f"launcher_limit={limit}")
    assert (got["samples"], got["status"]) == (samples, "regressed")


@pytest.mark.parametrize("limit", ["13", "100%"])
def test_a_limit_that_leaves_nothing_out_is_the_whole(recorded, pytester, limit):
    lines = (pytester.path / "val.txt").read_text().splitlines()
    (pytester.path / "val.txt").write_text("\n".join(lines[:-1]) + "\n")
    _, got = report(pytester, f"--launcher-limit={limit}")
    assert (got["samples"], got["status"]) == (11, "stale_baseline")
    assert "samples 12 → 11" in got["message"]


def test_a_part_is_the_same_in_any_order(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)

    def lost():
        return {flip["id"] for flip in report(pytester, "--launcher-limit=6")[1]["flips"]}

    before = lost()
    lines = (pytester.path / "val.txt").read_text().splitlines()
    (pytester.path / "val.txt").write_text("\n".join(reversed(lines)) + "\n")
    assert lost() == before != set()


def test_a_part_leaves_nothing_behind(recorded, pytester):
    before = recorded.baseline.read_bytes()
    recorded.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest("--launcher-limit=6").assert_outcomes(failed=1)
    assert recorded.baseline.read_bytes() == before
    assert not [path for path in pytester.path.rglob("*.json") if "candidates" in str(path)]


def test_a_part_of_a_fixtures_dataset(tiny, pytester):
    pytester.makeconftest(
        "import numpy as np, pytest\n"
        "@pytest.fixture\n"
        "def greys():\n"
        "    return [(np.full((4, 4, 1), (26, 128, 230)[i % 3], np.uint8), i % 3) for i in range(12)]\n"
    )
    text = tiny.file.read_text()
    steps = "    fixture: greys\n    preprocessing: [{type: normalization, std: 255}]\n    metrics: [accuracy]\n"
    tiny.file.write_text(text[: text.index("    data_source")] + steps)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    _, got = report(pytester, "--launcher-limit=6")
    assert (got["samples"], got["status"]) == (6, "pass")


# References


def test_a_reference_needs_no_baseline(tiny, pytester):
    tiny.replace("name: top1}", "name: top1, reference: 0.9, abs_threshold: 0.01}")
    result, got = report(pytester, "-v")
    result.assert_outcomes(passed=1)
    assert (got["status"], got["metrics"][0]["baseline"]) == ("pass", 0.9)
    result.stdout.fnmatch_lines(["pass *tiny-greys *top1 *0.9000 *0.9167 *+0.0167  reference"])
    tiny.save_centers(0.9, 0.5, 0.1)
    result, got = report(pytester)
    result.assert_outcomes(failed=1)
    assert first(result).startswith("top1 0.3333, reference 0.9000, delta -0.5667 (allowed 0.0100, threshold): worse")


def test_print_vector_lists_the_components(recorded, pytester):
    (pytester.path / "labels.txt").write_text("dark\ngrey\nlight\n")
    recorded.replace("annotation_file: val.txt", "annotation_file: val.txt, labels_file: labels.txt")
    recorded.replace("{type: accuracy, name: top1}", "{type: accuracy_per_class, name: top1, presenter: print_vector}")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["top1@dark *", "top1@grey *", "top1@light *"])


def test_a_part_of_a_dataset_that_lists_its_classes(tiny, pytester):
    pytester.makeconftest(
        "import numpy as np, pytest, torch\n"
        "class Greys:\n"
        "    targets = torch.tensor([0] * 2 + [1] * 4 + [2] * 6)\n"
        "    def __len__(self): return 12\n"
        "    def __getitem__(self, i):\n"
        "        label = int(self.targets[i])\n"
        "        return np.full((4, 4, 1), (26, 128, 230)[label], np.uint8), label\n"
        "@pytest.fixture\n"
        "def greys(): return Greys()\n"
    )
    text = tiny.file.read_text()
    steps = "    fixture: greys\n    preprocessing: [{type: normalization, std: 255}]\n    metrics: [accuracy]\n"
    tiny.file.write_text(text[: text.index("    data_source")] + steps)
    gated(tiny, "{margin: 1, slices: {by: class, min_samples: 1}}")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    _, got = report(pytester, "--launcher-limit=6")
    assert [(entry["name"], entry["n"]) for entry in got["slices"]] == [("class 0", 1), ("class 1", 2), ("class 2", 3)]


# Slices


def test_slices_by_class(recorded, pytester):
    gated(recorded, "{margin: 0.5, slices: {by: class, min_samples: 3}}")
    recorded.save_centers(0.1, 0.5, 3.0)
    _, got = report(pytester)
    assert [entry["name"] for entry in got["slices"]] == ["class 0", "class 1", "class 2"]
    assert [entry["n"] for entry in got["slices"]] == [3, 5, 4]


def test_slices_by_a_column_of_a_table(tiny, pytester):
    labels = [line.split() for line in (pytester.path / "val.txt").read_text().splitlines()]
    rows = [f"{name},{label},{'A' if index < 9 else 'B'}" for index, (name, label) in enumerate(labels)]
    (pytester.path / "val.csv").write_text("file,label,site\n" + "\n".join(rows) + "\n")
    tiny.replace(
        "{converter: imagenet, annotation_file: val.txt}",
        "{converter: csv, annotation_file: val.csv, label: label, metadata: site}",
    )
    gated(tiny, "{margin: 0.9, alpha: 0.1, slices: {by: site, min_samples: 3, margin: 0.05}}")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    _, got = report(pytester)
    assert [(entry["name"], entry["n"]) for entry in got["slices"]] == [("site A", 9), ("site B", 3)]
    assert got["slices"][0]["verdict"] == "regressed"
    assert got["status"] == "regressed"


# Anchors


def test_the_anchor_moves_only_when_it_is_told_to(recorded, pytester):
    gated(recorded, "{margin: 0.5, anchor: 0.3}")
    for centers, status in [((0.1, 0.5, 1.3), "pass"), ((0.1, 0.5, 1.35), "regressed")]:
        recorded.save_centers(*centers)
        _, got = report(pytester)
        assert got["status"] == status, got["message"]
        pytester.runpytest("--launcher-update", "--launcher-reason=smaller").assert_outcomes(passed=1)
    result, got = report(pytester)
    result.assert_outcomes(failed=1)
    assert ", anchor 0.9167, delta -" in got["message"]
    assert '"anchors"' in recorded.baseline.read_text()
    pytester.runpytest("--launcher-update", "--launcher-anchor").assert_outcomes(passed=1)
    assert '"anchors"' not in recorded.baseline.read_text()
    assert len(list(recorded.baseline.with_suffix("").glob("*.npz"))) == 1
    pytester.runpytest().assert_outcomes(passed=1)


# Calibration


def test_calibration_stores_the_spread_of_reruns(recorded, pytester):
    recorded.replace(
        "return -((image", "import random; image = image + 0.8 * (random.random() - 0.5); return -((image", "tiny.py"
    )
    pytester.runpytest("--launcher-update", "--launcher-reason=random")
    before = json.loads(recorded.baseline.read_text())["baselines"][0]["metrics"]["top1"]
    pytester.runpytest("--launcher-calibrate=5")
    metric = json.loads(recorded.baseline.read_text())["baselines"][0]["metrics"]["top1"]
    noise = metric.pop("noise")
    assert (metric, noise > 0) == (before, True)
    gated(recorded, f"{{margin: {noise / 2}}}")
    _, got = report(pytester)
    assert got["status"] == "error"
    assert "is below the calibrated noise" in got["message"]


def test_other_weights_are_not_calibrated(recorded, pytester):
    before = recorded.baseline.read_bytes()
    recorded.save_centers(0.1, 0.5, 0.8)
    _, got = report(pytester, "--launcher-calibrate=1")
    assert got["message"] == "calibration refused, the baseline is of other weights: run pytest --launcher-update first"
    assert recorded.baseline.read_bytes() == before


# Self-check


def selfchecked(pytester):
    _, got = report(pytester, "--launcher-selfcheck")
    assert got["status"] == "error"
    return got["message"]


def test_a_sound_evaluation_passes_its_selfcheck(recorded, pytester):
    pytester.runpytest("--launcher-selfcheck").assert_outcomes(passed=1)
    gated(recorded, "true", "selfcheck")
    pytester.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "image = torch.nn.functional.dropout(image)",
            "in a second run: something is random in evaluation, such as a forgotten eval()",
        ),
        ("self.train()", "module is in training mode after the run: a forgotten"),
        ("image = image - image.mean() + 0.5", "instead of 4: a result depends on the samples beside it"),
    ],
    ids=["random", "training", "batch"],
)
def test_what_a_selfcheck_finds(recorded, pytester, code, message):
    recorded.replace("return -((image", f"{code}; return -((image", "tiny.py")
    told = selfchecked(pytester)
    assert "selfcheck, " in told
    assert message in told


@pytest.mark.parametrize(
    "code",
    [
        "return {'scores': scores, 'anchors': torch.zeros(7, 4), 'loss': torch.zeros(())}",  # not one a sample
        "assert len(image) == 4; return scores",  # a batch of its size only
    ],
    ids=["other outputs", "fixed batch"],
)
def test_what_a_selfcheck_does_not_accuse(tiny, pytester, code):
    tiny.replace("return -((image", "scores = -((image", "tiny.py")
    tiny.replace("** 2) * 100", f"** 2) * 100; {code}", "tiny.py")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest("--launcher-selfcheck").assert_outcomes(passed=1)


def test_nan_in_other_batches_is_found(recorded, pytester):
    recorded.replace(
        "return -((image",
        "grey = image.mean((1, 2, 3)) - image.mean(); return grey.sum() / (grey**2).sum() * 0 - ((image",
        "tiny.py",
    )
    assert "outputs are NaN in batches of 1 instead of 4, from 00.png on" in selfchecked(pytester)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_samples_pass_their_selfcheck(tiny, pytester, count):
    lines = (pytester.path / "val.txt").read_text().splitlines()[3:]
    (pytester.path / "val.txt").write_text("\n".join(lines[:count]) + "\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest("--launcher-selfcheck").assert_outcomes(passed=1)


def test_a_gate_that_sees_nothing_fails_its_negative_control(recorded, pytester):
    gated(recorded, "{margin: 1}")
    assert "negative control: over 12 samples top1 is 0.9167, and with permuted annotations" in selfchecked(pytester)


def test_duplicate_identifiers_fail(tiny, pytester):
    lines = (pytester.path / "val.txt").read_text().splitlines()
    (pytester.path / "val.txt").write_text("\n".join([*lines, lines[3]]) + "\n")
    assert "sample '03.png' occurs 2 times, once expected" in selfchecked(pytester)


def test_selfcheck_must_be_true_or_false(tiny, pytester):
    gated(tiny, "often", "selfcheck")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*selfcheck: 'often' found, true or false expected*"])


# Early fail


def test_early_fail_stops_and_says_so(recorded, pytester):
    gated(recorded, "{margin: 0.1, early_fail: true}")
    recorded.save_centers(0.9, 0.5, 0.1)
    _, got = report(pytester)
    assert got["samples"] == 4
    assert got["message"] == (
        "top1 at most 0.7500, baseline 0.9167 (other weights, gate margin: 10 points allowed): regressed, "
        "stopped early after 4 of 12 samples"
    )
    before = recorded.baseline.read_bytes()
    pytester.runpytest("--launcher-update", "--launcher-reason=x").assert_outcomes(passed=1)
    assert recorded.baseline.read_bytes() != before


def test_early_fail_of_a_fixtures_dataset(tiny, pytester):
    pytester.makeconftest(
        "import numpy as np, pytest\n"
        "@pytest.fixture\n"
        "def greys():\n"
        "    return [(np.full((4, 4, 1), (26, 128, 230)[i % 3], np.uint8), i % 3) for i in range(12)]\n"
    )
    text = tiny.file.read_text()
    steps = "    fixture: greys\n    preprocessing: [{type: normalization, std: 255}]\n    metrics: [accuracy]\n"
    tiny.file.write_text(text[: text.index("    data_source")] + steps)
    gated(tiny, "{margin: 0.1, early_fail: true}")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    assert report(pytester)[1]["samples"] == 4


def test_early_fail_leaves_changed_annotations_stale(recorded, pytester):
    gated(recorded, "{margin: 0.1, early_fail: true}")
    lines = (pytester.path / "val.txt").read_text().splitlines()
    (pytester.path / "val.txt").write_text("\n".join(f"{line[:-1]}{(int(line[-1]) + 1) % 3}" for line in lines) + "\n")
    _, got = report(pytester)
    assert (got["status"], got["samples"]) == ("stale_baseline", 12)


def test_early_fail_leaves_a_stale_baseline_stale(recorded, pytester):
    gated(recorded, "{margin: 0.1, early_fail: true}")
    recorded.replace("std: 255", "std: 128")
    _, got = report(pytester)
    assert (got["status"], got["samples"]) == ("stale_baseline", 12)

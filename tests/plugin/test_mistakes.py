"""Real mistakes: each turns the evaluation red, with the reason on the first line."""

import pytest


@pytest.fixture
def recorded(tiny, pytester):
    tiny.replace("batch: 4", "batch: 1")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    return tiny


def first_line(pytester, *arguments):
    result = pytester.runpytest(*arguments)
    result.assert_outcomes(failed=1)
    (line,) = [line for line in result.outlines if line.startswith("FAILED ")]
    return line.partition(" - ")[2], result


def test_wrong_checkpoint(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    line, _ = first_line(pytester)
    assert line.startswith(
        "top1 0.3333, baseline 0.9167, delta -0.5833 (other weights: 8.33 points allowed): regressed"
    )


def test_missing_normalization(recorded, pytester):
    recorded.replace("    preprocessing:\n      - {type: normalization, std: 255}\n", "")
    line, _ = first_line(pytester)
    assert line.startswith("top1 0.3333, baseline 0.9167, delta -0.5833: stale baseline, preprocessing changed: ")
    assert "normalization(std=255)" in line


def test_shuffled_labels(recorded, pytester):
    path = recorded.folder / "val.txt"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(f"{a.split()[0]} {b.split()[1]}" for a, b in zip(lines, lines[1:] + lines[:1], strict=True))
    )
    line, _ = first_line(pytester)
    assert "baseline 0.9167" in line
    assert "stale baseline, annotations changed: " in line


def test_transposed_input_inside_the_module(recorded, pytester):
    recorded.replace("image.mean((1, 2, 3))[:, None]", "(1 - image.mean((1, 2, 3)))[:, None]", "tiny.py")
    line, _ = first_line(pytester)
    assert line.startswith(
        "top1 0.3333, baseline 0.9167, delta -0.5833 (same weights, same environment: nothing may be lost): regressed, "
    )
    assert line.endswith(" of 12 samples lost")


def test_nan_outputs(recorded, pytester):
    recorded.replace("* 100", "* 100 * (1 if image.mean() < 0.5 else float('nan'))", "tiny.py")
    line, _ = first_line(pytester)
    assert line == "top1 nan, baseline 0.9167: output NaN from 02.png on"
    refused, _ = first_line(pytester, "--launcher-update")
    assert refused == line


def test_a_metric_gone_from_the_file(recorded, pytester):
    recorded.replace("name: top1", "name: other")
    line, _ = first_line(pytester)
    assert "top1 of the baseline (0.9167) is no longer measured" in line


def test_fewer_samples(recorded, pytester):
    path = recorded.folder / "val.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    line, _ = first_line(pytester)
    assert line.startswith("top1 0.9091, baseline 0.9167, delta -0.0076: stale baseline, samples 12 → 11")


def test_other_images(recorded, pytester):
    image = recorded.folder / "images" / "01.png"
    (recorded.folder / "images" / "04.png").replace(image)
    (recorded.folder / "images" / "04.png").write_bytes(image.read_bytes())
    line, _ = first_line(pytester)
    assert "stale baseline, " in line
    assert "content" in line


def test_another_metric_definition(recorded, pytester):
    recorded.replace("{type: accuracy, name: top1}", "{type: accuracy, name: top1, top_k: 2}")
    line, _ = first_line(pytester)
    assert line.startswith("top1 1.0000, baseline 0.9167, delta +0.0833: stale baseline, ")
    assert "accuracy(name" not in line
    assert "accuracy() → accuracy(top_k=2)" in line


def test_missing_image_and_undecodable_image(recorded, pytester):
    image = recorded.folder / "images" / "03.png"
    image.write_bytes(b"no image")
    line, _ = first_line(pytester)
    assert line.startswith("tiny.launcher.yml:12:13: opencv_imread: ")
    assert "03.png" in line
    image.unlink()
    line, _ = first_line(pytester)
    assert "1 of 12 annotated files are not in " in line
    assert "the first is 03.png" in line

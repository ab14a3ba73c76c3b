"""What the evaluations of a run have in common is made once: samples, also by several workers, and modules."""

import json

import pytest

CONFTEST = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import pytest_torchlauncher as p


@p.register("noted")
@dataclass(frozen=True)
class Noted(p.Preprocessor):
    on_threads = True

    def apply(self, sample):
        with open(Path(__file__).with_name("steps.txt"), "a") as file:
            file.write(sample.identifier + chr(10))
        return sample
"""

BUILT = """
with open(__file__.replace("tiny.py", "built.txt"), "a") as file:
    file.write("imported ")
"""


@pytest.fixture
def suite(tiny, pytester):
    """Three models of one file each on the same preprocessed samples."""
    pytester.makeconftest(CONFTEST)
    text = tiny.file.read_text().replace("std: 255}", "std: 255}\n      - {type: noted}")
    tiny.file.unlink()
    for name in "abc":
        (pytester.path / f"{name}.launcher.yml").write_text(text.replace("name: tiny", f"name: {name}"))
    pytester.runpytest("--launcher-record").assert_outcomes(passed=3)
    return tiny


def noted(pytester):
    """Return how often each sample went through the step, and forget it."""
    path = pytester.path / "steps.txt"
    names = path.read_text().split()
    path.unlink()
    return [names.count(f"{index:02}.png") for index in range(12)]


def test_models_share_preprocessed_samples(suite, pytester):
    assert noted(pytester) == [1] * 12
    pytester.runpytest("a.launcher.yml").assert_outcomes(passed=1)
    assert noted(pytester) == [1] * 12


def test_workers_share_them_too(suite, pytester, monkeypatch):
    noted(pytester)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    monkeypatch.setenv("TMPDIR", str(pytester.path / "temporary"))
    (pytester.path / "temporary").mkdir()
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=3)
    assert noted(pytester) == [1] * 12
    assert not list((pytester.path / "temporary").glob("torchlauncher-*"))


def test_other_steps_or_data_are_not_shared(suite, pytester):
    noted(pytester)
    file = pytester.path / "b.launcher.yml"
    file.write_text(file.read_text().replace("std: 255}", "std: 255, mean: 0}"))
    pytester.runpytest("-W", "default")
    assert noted(pytester) == [2] * 12


@pytest.fixture
def several(tiny, pytester):
    """One model on three datasets; its module notes when it is imported, and every call when it runs."""
    module = pytester.path / "tiny.py"
    module.write_text(module.read_text() + BUILT)
    head, dataset = tiny.file.read_text().split("datasets:\n")
    datasets = [dataset.replace("name: greys", f"name: greys{i}") for i in range(3)]
    tiny.file.write_text(head + "datasets:\n" + "".join(datasets))
    pytester.runpytest("--launcher-record").assert_outcomes(passed=3)
    return tiny


def imports(pytester):
    path = pytester.path / "built.txt"
    count = path.read_text().count("imported")
    path.unlink()
    return count


def test_a_model_of_several_datasets_is_built_once(several, pytester):
    assert imports(pytester) == 1
    pytester.runpytest("-k", "greys1 or greys2").assert_outcomes(passed=2, deselected=1)
    assert imports(pytester) == 1


@pytest.mark.parametrize(
    "change",
    [
        "self.train()",
        "self.count = getattr(self, 'count', 0) + 1",
        "self.odd = lambda: 0",
        "self.centers.data.mul_(1.01)",
        "self.centers = torch.nn.Parameter(self.centers * 1.01)",
    ],
)
def test_a_module_that_running_changes_is_built_again(several, pytester, change):
    imports(pytester)
    module = pytester.path / "tiny.py"
    module.write_text(module.read_text().replace("        assert image", f"        {change}\n        assert image"))
    pytester.runpytest().assert_outcomes(passed=3)
    assert imports(pytester) == 3


def test_what_a_module_imports_when_it_runs_is_of_one_kind_with_it(several, pytester):
    (pytester.path / "kinds_of_tiny.py").write_text("class Kind:\n    pass\n")
    module = pytester.path / "tiny.py"
    text = module.read_text().replace("import torch\n", "import torch\nfrom kinds_of_tiny import Kind\n", 1)
    check = "        import kinds_of_tiny\n        assert Kind is kinds_of_tiny.Kind\n        assert image"
    module.write_text(text.replace("        assert image", check))
    pytester.runpytest().assert_outcomes(passed=3)


def test_defaults_that_its_import_set_hold_again(several, pytester):
    module = pytester.path / "tiny.py"
    check = "        assert torch.get_default_dtype() == torch.float64\n        assert image"
    text = module.read_text().replace("torch.float32", "torch.float64").replace("        assert image", check)
    module.write_text(text + "torch.set_default_dtype(torch.float64)\n")
    pytester.runpytest().assert_outcomes(passed=3)


def test_programs_of_one_name_beside_two_files_are_two(tiny, pytester):
    import torch

    class Chosen(torch.nn.Module):
        def __init__(self, choice: int):
            super().__init__()
            self.choice = choice

        def forward(self, image):
            return torch.nn.functional.one_hot(image.flatten(1).argmax(1) * 0 + self.choice, 3).float()

    for choice, name in enumerate("ab"):
        folder = pytester.path / name
        folder.mkdir()
        program = torch.export.export(
            Chosen(choice), (torch.zeros(4, 1, 4, 4),), dynamic_shapes=({0: torch.export.Dim("batch")},)
        )
        torch.export.save(program, folder / "net.pt2")
        text = tiny.file.read_text().replace("module: tiny.Tiny", "module: net.pt2")
        text = text.replace("    checkpoint: tiny.pt\n", "").replace("    python_path: .\n", "")
        text = text.replace("images", "../images").replace("val.txt", "../val.txt")
        (folder / "m.launcher.yml").write_text(text)
    tiny.file.unlink()
    result = pytester.runpytest("--launcher-record", "--launcher-json=out.json", "-W", "default")
    result.assert_outcomes(passed=2)
    values = [e["metrics"][0]["value"] for e in json.loads((pytester.path / "out.json").read_text())["evaluations"]]
    assert values[0] != values[1]


ADAPTER = """
import pytest_torchlauncher as p
from dataclasses import dataclass


@p.register("looking")
@dataclass(frozen=True)
class Looking(p.Adapter):
    def adapt(self, outputs, batch):
        for sample in batch.samples:
            assert sample.data.mean() >= 0
            sample.data[...] = 0
        return [p.Scores(row) for row in outputs["output"]]
"""


def test_adapters_of_a_project_get_arrays_of_their_own(tiny, pytester):
    pytester.makeconftest(ADAPTER)
    text = tiny.file.read_text().replace("adapter: classification", "adapter: looking")
    for name in "ab":
        (pytester.path / f"{name}.launcher.yml").write_text(text.replace("name: tiny", f"name: {name}"))
    tiny.file.unlink()
    pytester.runpytest("--launcher-record").assert_outcomes(passed=2)


def test_transforms_of_the_models_own_folder(tiny, pytester):
    (pytester.path / "own_transforms").mkdir()
    (pytester.path / "own_transforms" / "of_tiny.py").write_text(
        "import torch\n\ndef grey(image):\n    import numpy\n"
        "    return torch.tensor(numpy.asarray(image)[None, :, :, 0] / 255.0, dtype=torch.float32)\n"
    )
    text = tiny.file.read_text().replace("python_path: .", "python_path: [., own_transforms]")
    text = text.replace("{type: normalization, std: 255}", "{type: torchvision, transforms: of_tiny.grey}")
    for name in "ab":
        (pytester.path / f"{name}.launcher.yml").write_text(text.replace("name: tiny", f"name: {name}"))
    tiny.file.unlink()
    pytester.runpytest("--launcher-record").assert_outcomes(passed=2)

"""Everything that can be wrong with a launcher: one sentence with file, line and column, and no traceback of ours."""

import io
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

TinyProject = Any
FILE = r"tiny\.launcher\.yml"


class Payload:
    """Leaves a trace where it is unpickled as code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("trace"),))


def _legacy(project: TinyProject) -> None:
    path = project.folder / "tiny.pt"
    torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)


def _write(content: bytes, name: str = "tiny.pt") -> Callable[[TinyProject], None]:
    return lambda project: (project.folder / name).write_bytes(content) and None


def _save(content: Any, name: str = "tiny.pt") -> Callable[[TinyProject], None]:
    return lambda project: torch.save(content, project.folder / name)


def _truncate(project: TinyProject) -> None:
    path = project.folder / "tiny.pt"
    path.write_bytes(path.read_bytes()[:-40])


def _truncate_legacy(project: TinyProject) -> None:
    _legacy(project)
    _truncate(project)


def _zip(project: TinyProject) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "words")
    (project.folder / "tiny.pt").write_bytes(content.getvalue())


PROGRAMS: dict[str, bytes] = {}


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    """Make the programs before any test: what `pytester` sees imported it drops, and torch cannot be imported twice."""
    files = {name: io.BytesIO() for name in ("script", "export")}
    with pytest.warns(match="torch.jit.* is deprecated"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), files["script"])
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), files["export"])
    PROGRAMS.update({name: file.getvalue() for name, file in files.items()})


def _program(kind: str) -> Callable[[TinyProject], None]:
    return lambda project: _write(PROGRAMS[kind])(project)


def _keys(*lines: str) -> Callable[[TinyProject], None]:
    """Put `lines` into the launcher; the first of them is line 8 of the file."""
    return lambda project: project.replace("    batch: 4\n", "    batch: 4\n" + "".join(f"    {x}\n" for x in lines))


def _module(name: str, *lines: str) -> Callable[[TinyProject], None]:
    def change(project: TinyProject) -> None:
        project.replace("module: tiny.Tiny", f"module: {name}")
        project.replace("    checkpoint: tiny.pt\n", "".join(f"    {line}\n" for line in lines))

    return change


def _returns(expression: str, *lines: str) -> Callable[[TinyProject], None]:
    def change(project: TinyProject) -> None:
        project.replace("return -((", "scores = -((", "tiny.py")
        path = project.folder / "tiny.py"
        path.write_text(path.read_text() + f"        return {expression}\n")
        _keys(*lines)(project)

    return change


CHECKPOINT = rf"{FILE}:6:17: checkpoint: tiny\.pt "
SAVE = re.escape("save its state dict alone: torch.save(model.state_dict(), path)")
TRUST = ", or set checkpoint_weights_only: false if you trust the file"

CHECKPOINTS = {
    "missing": (
        lambda project: (project.folder / "tiny.pt").unlink(),
        "does not exist; a file beside the launcher file or below --launcher-models-dir expected",
    ),
    "git-lfs": (
        _write(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "is a git-LFS pointer, not the file it stands for; run: git lfs pull",
    ),
    "empty": (_write(b""), "is empty; copy or download it again"),
    "truncated": (_truncate, "is truncated; copy or download it again"),
    "truncated, legacy": (_truncate_legacy, "is truncated; copy or download it again"),
    "junk": (_write(b"not a checkpoint"), "is not a checkpoint; a file written by torch.save or safetensors expected"),
    "another zip": (_zip, "is not a checkpoint; a file written by torch.save or safetensors expected"),
    "a bare pickle": (
        _write(pickle.dumps({"centers": Payload()})),
        "is not a checkpoint; a file written by torch.save or safetensors expected",
    ),
    "unsafe globals, zip": (
        _save({"centers": Payload()}),
        r"holds more than tensors \(.*\), and loading that could run code from the file; " + SAVE + TRUST,
    ),
    "TorchScript": (_program("script"), "is a TorchScript program, not a state dict; name it as 'module', or " + SAVE),
    "torch.export": (
        _program("export"),
        "is a program of torch.export, not a state dict; name it as 'module', or " + SAVE,
    ),
    "no state dict": (
        _save({"epoch": 3, "model": {"centers": torch.zeros(3)}}),
        r"holds no state dict but a mapping with 'epoch' \(int\), 'model' \(dict\); set state_key to where one lies: "
        "'model'",
    ),
    "shapes": (
        _save({"centers": torch.zeros(4)}),
        r"does not fit tiny\.Tiny: 1 of another shape: centers \(4,\) where the module has \(3,\); are the module and "
        r"its arguments those of the training\?",
    ),
    "no key": (
        _save({"weight": torch.zeros(4)}),
        r"has no key of tiny\.Tiny; its keys: weight; the module's: centers",
    ),
    "unexpected key": (
        _save({"centers": torch.zeros(3), "more": torch.zeros(1)}),
        r"does not fit tiny\.Tiny: 1 unexpected: more; are the module and its arguments those of the training\?",
    ),
}

LAUNCHERS = {
    "checkpoint beside checkpoint_url": (
        _keys("checkpoint_url: http://localhost/tiny.pt"),
        rf"{FILE}:8:21: checkpoint_url: stands beside checkpoint, and only one of them can give the weights; "
        "remove one",
    ),
    "checkpoint_url without network": (
        _module("tiny.Tiny", "checkpoint_url: http://localhost:9/tiny.pt"),
        rf"{FILE}:6:21: checkpoint_url: could not download http://localhost:9/tiny\.pt \(no network: .*\); "
        r"put the file at /.*/hub/checkpoints/tiny\.pt$",
    ),
    "checkpoint_url of no file": (
        _module("tiny.Tiny", "checkpoint_url: ftp://localhost/tiny.pt"),
        rf"{FILE}:6:21: checkpoint_url: 'ftp://localhost/tiny\.pt' found, the http or https URL of a file expected",
    ),
    "checkpoint_sha256": (
        _keys(f"checkpoint_sha256: {'a' * 64}"),
        rf"{FILE}:8:24: checkpoint_sha256: tiny\.pt has the SHA-256 [0-9a-f]{{64}}, a{{64}} expected; copy the file "
        "again, or correct checkpoint_sha256",
    ),
    "no such init_method": (
        _keys("init_method: load"),
        rf"{FILE}:8:18: init_method: Tiny has no method 'load'",
    ),
    "init_method without a module": (
        _keys("init_method: eval_"),
        rf"{FILE}:8:18: init_method: Tiny has no method 'eval_'; did you mean 'eval'\?",
    ),
    "init_method that returns nothing": (
        lambda project: (
            project.replace("    def forward", "    def load(self): pass\n\n    def forward", "tiny.py"),
            _keys("init_method: load")(project),
        ),
        rf"{FILE}:8:18: init_method: Tiny\.load\(\) returned nothing; it must return the module to use, itself as a "
        "rule",
    ),
    "no class of transformers": (
        _module("tiny", "transformers_class: BertModell"),
        rf"{FILE}:6:25: transformers_class: transformers has no class 'BertModell'; did you mean 'BertModel'\?",
    ),
    "file module that is not there": (
        _module("nets/tiny.pt2"),
        rf"{FILE}:4:13: module: nets/tiny\.pt2 does not exist; a file beside the launcher file or below "
        "--launcher-models-dir expected",
    ),
    "file module that is a checkpoint": (
        _module("tiny.pt"),
        rf"{FILE}:4:13: module: tiny\.pt .*name the class as 'module' and this file as 'checkpoint'",
    ),
    "torch_compile_kwargs": (
        _keys("use_torch_compile: true", "torch_compile_kwargs: {backen: eager}"),
        rf"{FILE}:9:27: torch_compile_kwargs: torch\.compile raised TypeError: .*'backen'",
    ),
    "state_key": (
        _keys("state_key: modle"),
        rf"{FILE}:8:16: checkpoint: tiny\.pt has no 'modle'; there are 'centers'",
    ),
    "strict: false, no key": (
        lambda project: (_save({"weight": torch.zeros(4)})(project), _keys("strict: false")(project)),
        rf"{CHECKPOINT}has no key of tiny\.Tiny; its keys: weight; the module's: centers",
    ),
    "device": (
        _keys("device: banana"),
        rf"{FILE}:8:13: launchers\[0\]\.device: unknown device 'banana'; there are cpu",
    ),
    "python_path": (
        lambda project: project.replace("python_path: .", "python_path: nets"),
        rf"{FILE}:5:18: python_path: nets is not a folder; a folder of Python modules expected",
    ),
    "no such module": (
        _module("tinny.Tiny"),
        rf"{FILE}:4:13: module: no module named 'tinny' \(python_path: \.\); did you mean 'tiny'\?",
    ),
    "no such class": (
        _module("tiny.Tinny"),
        rf"{FILE}:4:13: module: tiny \(tiny\.py\) has no 'Tinny'; did you mean 'Tiny'\?",
    ),
    "no module": (
        _module("tiny.torch.zeros", "module_args: [3]"),
        rf"{FILE}:4:13: module: tiny\.torch\.zeros\(\.\.\.\) returned Tensor; an nn\.Module expected",
    ),
    "arguments": (
        _module("tiny.Tiny", "module_kwargs: {centres: [1]}"),
        rf"{FILE}:4:13: module: tiny\.Tiny\(\.\.\.\) raised TypeError: .*unexpected keyword argument 'centres'",
    ),
    "more names than outputs": (
        _returns("scores, scores", "output_names: [a, b, c]"),
        rf"{FILE}:8:19: outputs of tiny\.Tiny: there is no output for 'c'; the module returned a \(4, 3\) float32, "
        r"b \(4, 3\) float32",
    ),
    "a name that a dict lacks": (
        _returns("{'logits': scores}", "output_names: [scores]"),
        rf"{FILE}:8:19: outputs of tiny\.Tiny: there is no output for 'scores'; the module returned logits \(4, 3\) "
        "float32",
    ),
    "no tensor": (
        _returns("'text'"),
        rf"{FILE}:4:13: outputs of tiny\.Tiny: 'output' is of type str; a tensor expected",
    ),
    "NaN": (_returns("scores * float('nan')"), "top1 nan: output NaN from 00.png on"),
    "infinity": (_returns("scores * float('inf')"), "top1 inf: output infinity from 00.png on"),
    "out of memory": (
        _returns("(_ for _ in ()).throw(torch.OutOfMemoryError('no room'))"),
        rf"{FILE}:4:13: module: forward of tiny\.Tiny raised OutOfMemoryError: no room \(input \(1, 1, 4, 4\) "
        r"float32\)",
    ),
    "no part of that name": (
        _keys("inputs: [{name: image, type: INPUT, value: 'right/.*'}]"),
        rf"{FILE}:8:48: inputs: image: no identifier matches 'right/\.\*'; 00\.png has '00\.png'",
    ),
    "no part at that position": (
        _keys("inputs: [{name: image, type: INPUT, value: 1}]"),
        rf"{FILE}:8:48: inputs: image: position 1 is not there; 00\.png has '00\.png'",
    ),
    "another shape": (
        _keys("inputs: [{name: image, type: INPUT, shape: '1,8,8'}]"),
        rf"{FILE}:8:48: inputs: image: \[4, 1, 4, 4\] found, \[1, 8, 8\] expected; correct shape, which is only "
        "checked, or the preprocessing",
    ),
}


def _failure(pytester: pytest.Pytester) -> tuple[str, str]:
    """Return the first line of the only failure, and all output."""
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    title = next(i for i, line in enumerate(result.outlines) if re.fullmatch(r"_+ (tiny-greys|configuration) _+", line))
    return result.outlines[title + 1], result.stdout.str()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch_home"))


def _check(tiny: TinyProject, pytester: pytest.Pytester, change: Callable[[TinyProject], Any], expected: str) -> None:
    change(tiny)
    line, output = _failure(pytester)
    assert re.match(expected, line), line
    assert "Traceback" not in output
    assert "pytest_torchlauncher/" not in output
    assert not (tiny.folder / "trace").exists()
    assert not tiny.baseline.exists()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoint(tiny: TinyProject, pytester: pytest.Pytester, name: str) -> None:
    change, predicate = CHECKPOINTS[name]
    _check(tiny, pytester, change, f"{CHECKPOINT}{predicate}$")


@pytest.mark.parametrize("name", LAUNCHERS)
def test_launcher(tiny: TinyProject, pytester: pytest.Pytester, name: str) -> None:
    _check(tiny, pytester, *LAUNCHERS[name])


def test_an_exception_of_the_module_shows_the_users_frames_only(tiny: TinyProject, pytester: pytest.Pytester) -> None:
    _returns("self.helper(scores)")(tiny)
    path = tiny.folder / "tiny.py"
    path.write_text(path.read_text() + "\n    def helper(self, x):\n        return torch.nn.Linear(7, 7)(x)\n")
    line, output = _failure(pytester)
    assert line.startswith("tiny.launcher.yml:4:13: module: forward of tiny.Tiny raised RuntimeError: mat1 and mat2")
    frames = re.findall(r'^  File "(.*)", line \d+, in (\w+)', output, re.MULTILINE)
    assert frames == [(str(path), "forward"), (str(path), "helper")]

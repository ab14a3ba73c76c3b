import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.module import build_module, evaluation_mode, is_constructed, keyword_names
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

FILE = Path("net.launcher.yml")
KEYS = ("module", "module_args", "module_kwargs", "init_method")
WHERE = Where(keys={key: Position(FILE, line, 5) for line, key in enumerate(KEYS, 3)})
IMAGES = torch.arange(12.0).reshape(4, 3)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)
        self.drop = torch.nn.Dropout()

    def forward(self, image: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        scores = self.drop(self.fc(image))
        return scores if scale is None else scores * scale + torch.zeros(2, device=image.device)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "net.pt2"


def _export(net: Net, path: Path, **kwargs: torch.Tensor) -> None:
    dynamic = {"image": {0: torch.export.Dim("batch")}, **dict.fromkeys(kwargs)}
    torch.export.save(torch.export.export(net, (IMAGES[:2],), kwargs, dynamic_shapes=dynamic), path)


def _script(net: Net, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit")
        torch.jit.script(net).save(path)


def _spec(path: Path, **keys: Any) -> LauncherSpec:
    adapter: Any = None
    return LauncherSpec("pytorch", ModuleName(path.name, path), adapter, where=WHERE, **keys)


def _failure(path: Path, key: str = "module", **keys: Any) -> str:
    with pytest.raises(ModelError) as info:
        build_module(_spec(path, **keys))
    assert info.value.where == WHERE[key]
    assert str(info.value).startswith(f"{WHERE[key]}: {key}: ")
    return str(info.value).removeprefix(f"{WHERE[key]}: {key}: ")


class TestExported:
    def test_outputs_are_those_of_the_module(self, net: Net, path: Path) -> None:
        _export(net, path)
        module = build_module(_spec(path))
        evaluation_mode(module)
        torch.testing.assert_close(module(IMAGES), net(IMAGES))

    def test_the_name_of_the_file_does_not_matter(self, net: Net, path: Path) -> None:
        _export(net, path)
        renamed = path.rename(path.with_suffix(".pth"))
        assert build_module(_spec(renamed))(IMAGES).shape == (4, 2)

    def test_keywords_are_those_it_was_exported_with(self, net: Net, path: Path) -> None:
        _export(net, path, scale=torch.ones(1))
        module = build_module(_spec(path))
        assert keyword_names(module) == {"scale"}
        torch.testing.assert_close(module(IMAGES, scale=torch.full((1,), 2.0)), net(IMAGES) * 2)

    def test_no_keywords(self, net: Net, path: Path) -> None:
        _export(net, path)
        assert keyword_names(build_module(_spec(path))) == frozenset()

    def test_it_is_made_for_its_device(self, net: Net, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pytest_torchlauncher.launcher.programs.canonical_device", {"GPU": "meta"}.__getitem__)
        _export(net, path, scale=torch.ones(1))
        module = build_module(_spec(path, device="GPU"))
        assert module(IMAGES.to("meta"), scale=torch.ones(1, device="meta")).device.type == "meta"


class TestScripted:
    def test_outputs_are_those_of_the_module(self, net: Net, path: Path) -> None:
        _script(net, path)
        module = build_module(_spec(path))
        evaluation_mode(module)
        torch.testing.assert_close(module(IMAGES), net(IMAGES))

    def test_it_is_called_by_position(self, net: Net, path: Path) -> None:
        _script(net, path)
        assert keyword_names(build_module(_spec(path))) == frozenset()

    def test_it_leaves_training_mode(self, net: Net, path: Path) -> None:
        _script(net.train(), path)
        module = build_module(_spec(path))
        evaluation_mode(module)
        assert not module.training
        torch.testing.assert_close(module(IMAGES), net.eval()(IMAGES))


@pytest.mark.parametrize("write", [_export, _script])
class TestBoth:
    @pytest.mark.parametrize(
        ("key", "value"), [("module_args", (1,)), ("module_kwargs", {"width": 1}), ("init_method", "fuse")]
    )
    def test_they_take_no_arguments(
        self, net: Net, path: Path, write: Callable[[Net, Path], None], key: str, value: Any
    ) -> None:
        write(net, path)
        assert _failure(path, key, **{key: value}) == f"net.pt2 is a program, which takes none; remove {key}"

    def test_truncated(self, net: Net, path: Path, write: Callable[[Net, Path], None]) -> None:
        write(net, path)
        path.write_bytes(path.read_bytes()[:1000])
        assert _failure(path) == "net.pt2 is truncated; copy or download it again"

    def test_damaged(self, net: Net, path: Path, write: Callable[[Net, Path], None]) -> None:
        write(net, path)
        with zipfile.ZipFile(path) as whole:
            parts = {name: whole.read(name) for name in whole.namelist()}
        with zipfile.ZipFile(path, "w") as damaged:
            for name, content in parts.items():
                damaged.writestr(name, b"" if name.endswith(("model.json", "constants.pkl")) else content)
        assert _failure(path).startswith("loading net.pt2 raised ")

    def test_they_are_not_constructed(self, path: Path, write: object) -> None:
        assert not is_constructed(_spec(path))


class TestMistakes:
    def test_no_file(self, path: Path) -> None:
        expected = "net.pt2 does not exist; a file beside the launcher file or below --launcher-models-dir expected"
        assert _failure(path) == expected

    def test_a_folder(self, path: Path) -> None:
        path.mkdir()
        assert _failure(path) == (
            "net.pt2 is a folder; a file of torch.export.save or torch.jit.save expected, or transformers_class for a "
            "folder of pretrained weights"
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty; copy or download it again"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
                "is a git-LFS pointer, not the file it stands for; run: git lfs pull",
            ),
            (b"class Net: ...", "is no program; a file of torch.export.save or torch.jit.save expected"),
        ],
    )
    def test_no_program(self, path: Path, content: bytes, message: str) -> None:
        path.write_bytes(content)
        assert _failure(path) == f"net.pt2 {message}"

    def test_a_program_of_before_torch_2_8_is_left_to_torch(self, path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("serialized_exported_program.json", "")
        assert _failure(path).startswith("loading net.pt2 raised ")

    def test_another_archive(self, path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("notes.txt", "")
        assert _failure(path) == "net.pt2 is no program; a file of torch.export.save or torch.jit.save expected"

    @pytest.mark.parametrize("zipped", [True, False])
    def test_weights(self, net: Net, path: Path, zipped: bool) -> None:
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
        assert _failure(path) == (
            "net.pt2 holds weights but no code; name the class as 'module' and this file as 'checkpoint'"
        )

    def test_weights_of_safetensors(self, net: Net, path: Path) -> None:
        from safetensors.torch import save_file

        path = path.with_suffix(".safetensors")
        save_file(net.state_dict(), path)
        assert _failure(path).startswith("net.safetensors holds weights but no code; name the class")

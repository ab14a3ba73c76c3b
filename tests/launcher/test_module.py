import contextlib
import os
import sys
import textwrap
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.module import build_module, importable
from pytest_torchlauncher.located import located
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.plan import LauncherSpec

MODULE, PYTHON_PATH = Position(Path("nets.launcher.yml"), 4, 13), Position(Path("nets.launcher.yml"), 5, 18)
WHERE = Where(keys={"module": MODULE, "python_path": PYTHON_PATH})

NETS = """
import torch

VERSION = "2"


class Net(torch.nn.Module):
    def __init__(self, width=1, *, bias=True):
        super().__init__()
        self.fc = torch.nn.Linear(width, 1, bias=bias)

    @classmethod
    def from_name(cls, name):
        return cls({"small": 2, "large": 8}[name])


def make(**options):
    return Net(**options)


def describe():
    return {"not": "a module"}


BUILT = Net()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


def _write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    return folder


def _spec(module: str, *python_path: Path, args: tuple[Any, ...] = (), **kwargs: Any) -> LauncherSpec:
    adapter: Any = None
    return LauncherSpec(
        "pytorch", module, adapter, python_path=python_path, module_args=args, module_kwargs=kwargs, where=WHERE
    )


def _build(module: str, *python_path: Path, args: tuple[Any, ...] = (), **kwargs: Any) -> Any:
    with importable(python_path, PYTHON_PATH):
        return build_module(_spec(module, *python_path, args=args, **kwargs))


def _failure(module: str, *python_path: Path, **kwargs: Any) -> str:
    with pytest.raises(ModelError) as info:
        _build(module, *python_path, **kwargs)
    assert info.value.where == MODULE
    assert str(info.value) == f"{MODULE}: {info.value.message}"
    return info.value.message


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    """Assert that the block leaves ``sys.path`` and ``sys.modules`` as they were."""
    path, modules = list(sys.path), dict(sys.modules)
    yield
    assert sys.path == path
    assert sys.modules.keys() == modules.keys()
    assert all(sys.modules[name] is module for name, module in modules.items())


class TestImportable:
    def test_folders_come_first_in_their_order(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            _write(tmp_path / name, {"order_probe.py": f"PLACE = {name!r}"})
        with _unchanged(), importable([tmp_path / "a", tmp_path / "b"]):
            assert sys.path[:2] == [str(tmp_path / "a"), str(tmp_path / "b")]
            import order_probe  # type: ignore[import-not-found]

            assert order_probe.PLACE == "a"

    def test_modules_of_one_name_work_one_after_the_other(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            _write(tmp_path / name, {"twin/__init__.py": "from .net import PLACE", "twin/net.py": f"PLACE = {name!r}"})
        places = []
        with _unchanged():
            for name in ("a", "b"):
                with importable([tmp_path / name]):
                    import twin  # type: ignore[import-not-found]

                    places.append(twin.PLACE)
        assert places == ["a", "b"]

    def test_modules_of_one_name_work_inside_each_other(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            _write(tmp_path / name, {"twin/__init__.py": "", "twin/net.py": f"PLACE = {name!r}"})
        with _unchanged(), importable([tmp_path / "a"]):
            import twin.net as outer  # type: ignore[import-not-found]

            with importable([tmp_path / "b"]):
                import twin.net as inner

                assert (outer.PLACE, inner.PLACE) == ("a", "b")
            assert sys.modules["twin.net"] is outer

    def test_everything_is_restored_after_a_failure(self, tmp_path: Path) -> None:
        _write(tmp_path, {"fails_late.py": "import part_of_it", "part_of_it.py": "raise ValueError('no')"})
        with _unchanged(), contextlib.suppress(ValueError), importable([tmp_path]):
            import fails_late  # type: ignore[import-not-found]  # noqa: F401

    def test_only_what_was_added_leaves_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
        before = list(sys.path)
        with importable([tmp_path]):
            sys.path.append("added by the project")
        assert sys.path == [*before, "added by the project"]

    def test_a_package_of_the_folder_that_was_there_before_stays(self, tmp_path: Path) -> None:
        _write(tmp_path, {"resident/__init__.py": "", "resident/late.py": "X = 1"})
        with importable([tmp_path]):
            import resident  # type: ignore[import-not-found]

            with importable([tmp_path]):
                import resident.late

            assert sys.modules["resident"] is resident
            assert sys.modules["resident.late"] is resident.late
        assert "resident" not in sys.modules
        assert "resident.late" not in sys.modules

    def test_modules_that_are_not_of_the_folder_stay(self, tmp_path: Path) -> None:
        other = _write(tmp_path / "other", {"bystander.py": ""})
        with importable([other]):
            with importable([_write(tmp_path / "own", {"uses_it.py": "import bystander"})]):
                import uses_it  # type: ignore[import-not-found]  # noqa: F401
            assert "bystander" in sys.modules
            assert "uses_it" not in sys.modules

    def test_the_environment_stays(self, tmp_path: Path) -> None:
        _write(
            tmp_path, {"torch/notes.txt": "", "json.py": "", "torchvision.py": "raise ValueError", "__main__.py": ""}
        )
        with _unchanged(), importable([tmp_path]):
            import json

            assert sys.modules["torch"] is torch
            assert sys.modules["torchvision"] is torchvision
            assert json.loads("1") == 1

    def test_modules_below_site_packages_stay(self, tmp_path: Path) -> None:
        place = _write(tmp_path / "site-packages", {"installed_probe.py": ""})
        try:
            with importable([place]):
                import installed_probe  # type: ignore[import-not-found]
            assert sys.modules["installed_probe"] is installed_probe
        finally:
            sys.modules.pop("installed_probe", None)

    def test_a_file_written_in_the_same_instant_is_found(self, tmp_path: Path) -> None:
        with importable([tmp_path]), contextlib.suppress(ModuleNotFoundError):
            import fresh_probe  # type: ignore[import-not-found]
        written = tmp_path.stat()
        _write(tmp_path, {"fresh_probe.py": ""})
        os.utime(tmp_path, ns=(written.st_atime_ns, written.st_mtime_ns))
        with importable([tmp_path]):
            import fresh_probe  # noqa: F401

    def test_namespace_packages_leave(self, tmp_path: Path) -> None:
        _write(tmp_path, {"loose/part.py": "X = 1"})
        with _unchanged(), importable([tmp_path]):
            import loose.part  # type: ignore[import-not-found]

            assert loose.part.X == 1

    @pytest.mark.parametrize("name", ["absent", "file.py"])
    def test_no_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "file.py").touch()
        with _unchanged(), pytest.raises(ModelError) as info, importable([tmp_path, tmp_path / name], PYTHON_PATH):
            pass
        message = f"python_path: {name} is not a folder; a folder of Python modules expected"
        assert str(info.value) == f"{PYTHON_PATH}: {message}"


class TestResolve:
    @pytest.mark.parametrize(
        ("module", "kwargs", "width"),
        [
            ("nets.Net", {}, 1),
            ("nets.Net", {"width": 3}, 3),
            ("nets.make", {"width": 4}, 4),
            ("nets.Net.from_name", {"name": "small"}, 2),
        ],
    )
    def test_classes_and_factories(self, folder: Path, module: str, kwargs: dict[str, Any], width: int) -> None:
        _write(folder, {"nets.py": NETS})
        assert _build(module, folder, **kwargs).fc.in_features == width

    def test_package(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "", "zoo/small/__init__.py": "", "zoo/small/nets.py": NETS})
        assert _build("zoo.small.nets.Net.from_name", folder, args=("large",)).fc.in_features == 8

    def test_a_function_hides_the_submodule_of_its_name(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "from .net import net", "zoo/net.py": NETS + "\nnet = make\nDeep = Net"})
        assert _build("zoo.net", folder, width=5).fc.in_features == 5
        assert _build("zoo.net.Deep", folder, width=6).fc.in_features == 6
        assert _build("zoo.net.net", folder, width=7).fc.in_features == 7

    def test_attribute_of_a_class_that_has_the_name_of_its_module(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "from .net import net", "zoo/net.py": NETS + "\nnet = Net"})
        assert _build("zoo.net.from_name", folder, name="small").fc.in_features == 2

    def test_arguments_are_builtin_copies(self, folder: Path) -> None:
        _write(
            folder,
            {
                "keeps.py": """
                    import torch

                    class Keeps(torch.nn.Module):
                        def __init__(self, sizes, **options):
                            super().__init__()
                            self.sizes, self.options = sizes, options
                            sizes.append("changed")
                """
            },
        )
        document = located({"sizes": [1, "two"], "options": {"mode": "fast", "none": None}}, MODULE)
        module = _build("keeps.Keeps", folder, args=(document["sizes"],), **document["options"])
        assert type(module.sizes) is list
        assert [type(value) for value in module.sizes] == [int, str, str]
        assert module.options == {"mode": "fast", "none": None}
        assert {type(text) for text in (*module.options, module.options["mode"])} == {str}
        assert document["sizes"] == [1, "two"]

    def test_torchvision(self) -> None:
        module = _build("torchvision.models.squeezenet1_1", num_classes=3)
        assert isinstance(module, torchvision.models.SqueezeNet)
        assert module.num_classes == 3

    def test_a_torchvision_builder_that_has_the_name_of_its_file(self) -> None:
        module = _build("torchvision.models.googlenet", num_classes=2, init_weights=False, aux_logits=False)
        assert isinstance(module, torchvision.models.GoogLeNet)

    def test_torchvision_deprecations_of_pretrained_are_silent(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _build("torchvision.models.squeezenet1_1", num_classes=3, pretrained=False)

    def test_other_warnings_are_heard(self, folder: Path) -> None:
        code = """
            import warnings, torch

            def make():
                warnings.warn("The parameter 'pretrained' is mine")
                return torch.nn.ReLU()
        """
        _write(folder, {"warns.py": code})
        with pytest.warns(UserWarning, match="The parameter 'pretrained' is mine"):
            _build("warns.make", folder)


class TestMistakes:
    @pytest.mark.parametrize("module", ["Net", "", "zoo/net.Net", "zoo..Net", ".Net"])
    def test_no_dotted_path(self, module: str) -> None:
        assert _failure(module) == f"module: {module!r} is not a dotted path; package.module.Class expected"

    def test_no_such_module(self, folder: Path) -> None:
        _write(folder, {"digits_cnn.py": NETS})
        expected = "module: no module named 'digits_cn' (python_path: models); did you mean 'digits_cnn'?"
        assert _failure("digits_cn.Net", folder) == expected
        advice = "install it, or set python_path to the folder that holds it"
        assert _failure("zzz.Net", folder) == f"module: no module named 'zzz' (python_path: models); {advice}"
        assert _failure("zzz.sub.Net") == f"module: no module named 'zzz' (python_path: none); {advice}"

    def test_no_such_attribute(self, folder: Path) -> None:
        _write(folder, {"nets.py": NETS})
        assert _failure("nets.Nets", folder) == "module: nets (models/nets.py) has no 'Nets'; did you mean 'Net'?"
        expected = "module: nets (models/nets.py) has no 'Xyz'; there are BUILT, Net, describe, make"
        assert _failure("nets.Xyz", folder) == expected
        expected = "module: nets.Net (models/nets.py) has no 'from_names'; did you mean 'from_name'?"
        assert _failure("nets.Net.from_names", folder) == expected

    def test_no_such_submodule(self) -> None:
        message = _failure("torchvision.model.squeezenet1_1")
        assert message.startswith("module: torchvision (")
        assert message.endswith(") has no 'model'; did you mean 'models'?")

    @pytest.mark.parametrize(("name", "found"), [("VERSION", "str"), ("BUILT", "Net"), ("torch", "module")])
    def test_what_cannot_be_called(self, folder: Path, name: str, found: str) -> None:
        _write(folder, {"nets.py": NETS})
        expected = f"module: nets.{name} is of type {found}; a class or function that returns an nn.Module expected"
        assert _failure(f"nets.{name}", folder) == expected

    def test_no_module_returned(self, folder: Path) -> None:
        _write(folder, {"nets.py": NETS})
        assert _failure("nets.describe", folder) == "module: nets.describe(...) returned dict; an nn.Module expected"

    def test_missing_dependency_is_no_missing_module(self, folder: Path) -> None:
        _write(folder, {"needs/__init__.py": "", "needs/nets.py": "import absent_dependency"})
        assert _failure("needs.nets.Net", folder) == (
            "module: needs.nets was found, but importing it raised ModuleNotFoundError: No module named "
            "'absent_dependency'; install what it needs, or add its folder to python_path"
        )

    def test_wrong_import_from_a_dependency(self, folder: Path) -> None:
        _write(folder, {"needs.py": "from json import absent_name"})
        message = _failure("needs.Net", folder)
        assert message.startswith("module: needs was found, but importing it raised ImportError: cannot import name")

    @pytest.mark.parametrize(
        ("code", "found"),
        [
            ("raise ValueError('first line\\nsecond line')", "ValueError: first line"),
            ("raise SystemExit(2)", "SystemExit: 2"),
            ("assert False", "AssertionError"),
            ("def (", "SyntaxError: invalid syntax (broken.py, line 1)"),
        ],
    )
    def test_exception_while_importing(self, folder: Path, code: str, found: str) -> None:
        _write(folder, {"broken.py": code})
        with _unchanged():
            assert _failure("broken.Net", folder) == f"module: importing broken raised {found}"

    def test_exception_of_the_constructor(self, folder: Path) -> None:
        _write(folder, {"nets.py": NETS})
        expected = "module: nets.Net(...) raised TypeError: Net.__init__() got an unexpected keyword argument 'wdith'"
        assert _failure("nets.Net", folder, wdith=3) == expected
        assert (
            _failure("nets.Net.from_name", folder, name="huge")
            == "module: nets.Net.from_name(...) raised KeyError: 'huge'"
        )

    @pytest.mark.parametrize("module", ["nets.Net.from_name", "imports.Net", "fails.Net"])
    def test_the_traceback_of_the_users_code_is_kept(self, folder: Path, module: str) -> None:
        _write(folder, {"nets.py": NETS, "imports.py": "import absent_dependency", "fails.py": "1 / 0"})
        with pytest.raises(ModelError) as info:
            _build(module, folder, name="huge")
        cause = info.value.__cause__
        assert cause is not None
        frames = [Path(frame.filename).parent for frame in traceback.extract_tb(cause.__traceback__)]
        assert folder in frames

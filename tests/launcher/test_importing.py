import contextlib
import os
import sys
import textwrap
import threading
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.importing import importable, resolve
from pytest_torchlauncher.opencv import PATH_LOCK
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

MODULE, PYTHON_PATH = Position(Path("nets.launcher.yml"), 4, 13), Position(Path("nets.launcher.yml"), 5, 18)
WHERE = Where(keys={"module": MODULE, "python_path": PYTHON_PATH})

NETS = """
VERSION = "2"


class Net:
    @classmethod
    def from_name(cls, name):
        return cls()


def make():
    return Net()
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


def _resolved(module: str, *python_path: Path) -> Any:
    adapter: Any = None
    spec = LauncherSpec("pytorch", ModuleName(module), adapter, python_path=python_path, where=WHERE)
    with importable(python_path, PYTHON_PATH):
        return resolve(spec)


def _failure(module: str, *python_path: Path) -> str:
    with pytest.raises(ModelError) as info:
        _resolved(module, *python_path)
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

    def test_the_path_is_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
        before = list(sys.path)
        with importable([tmp_path]):
            sys.path.append("added by the project")
        assert sys.path == before

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

    def test_namespace_packages_of_one_name_work_one_after_the_other(self, tmp_path: Path) -> None:
        places = []
        for name in ("a", "b"):
            _write(tmp_path / name, {"loose/sub/part.py": f"PLACE = {name!r}"})
            with _unchanged(), importable([tmp_path / name]):
                import loose.sub.part  # type: ignore[import-not-found]

                places.append(loose.sub.part.PLACE)
        assert places == ["a", "b"]

    def test_the_first_folder_wins_over_one_that_was_there_before(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            _write(tmp_path / name, {"twin.py": f"PLACE = {name!r}"})
        with importable([tmp_path / "b"]):
            import twin as outer  # type: ignore[import-not-found]

            with importable([tmp_path / "a", tmp_path / "b"]):
                import twin as inner

                assert (outer.PLACE, inner.PLACE) == ("b", "a")
            assert sys.modules["twin"] is outer

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
        ("path", "expected"),
        [("nets.Net", "Net"), ("nets.make", "make"), ("nets.Net.from_name", "Net.from_name")],
    )
    def test_classes_and_functions(self, folder: Path, path: str, expected: str) -> None:
        _write(folder, {"nets.py": NETS})
        with _unchanged():
            assert _resolved(path, folder).__qualname__ == expected

    def test_packages_and_their_relative_imports(self, folder: Path) -> None:
        _write(
            folder,
            {
                "zoo/__init__.py": "",
                "zoo/parts.py": "WIDTH = 7",
                "zoo/sub/__init__.py": "from ..parts import WIDTH",
                "zoo/sub/deep.py": "from . import WIDTH\nfrom ..parts import WIDTH as W\n\nclass Net:\n    width = W",
            },
        )
        with _unchanged():
            assert _resolved("zoo.sub.deep.Net", folder).width == 7

    def test_namespace_packages(self, folder: Path) -> None:
        _write(folder, {"loose/sub/nets.py": "from .parts import Net", "loose/sub/parts.py": NETS})
        with _unchanged():
            assert _resolved("loose.sub.nets.Net.from_name", folder).__qualname__ == "Net.from_name"

    def test_a_package_of_two_folders(self, tmp_path: Path) -> None:
        _write(tmp_path / "a", {"split/one.py": "from split.two import Net"})
        _write(tmp_path / "b", {"split/two.py": NETS})
        with _unchanged():
            assert _resolved("split.one.Net", tmp_path / "a", tmp_path / "b").__module__ == "split.two"

    def test_a_function_hides_the_submodule_of_its_name(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "from .net import net", "zoo/net.py": NETS + "\nnet = make\nDeep = Net"})
        assert _resolved("zoo.net", folder).__name__ == "make"
        assert _resolved("zoo.net.Deep", folder).__name__ == "Net"
        assert _resolved("zoo.net.net", folder).__name__ == "make"

    def test_attribute_of_a_class_that_has_the_name_of_its_module(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "from .net import net", "zoo/net.py": NETS + "\nnet = Net"})
        assert _resolved("zoo.net.from_name", folder).__qualname__ == "Net.from_name"

    def test_the_builder_of_torchvision_that_has_the_name_of_its_file(self) -> None:
        assert _resolved("torchvision.models.googlenet") is torchvision.models.googlenet


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
        expected = "module: nets (models/nets.py) has no 'Xyz'; there are Net, make"
        assert _failure("nets.Xyz", folder) == expected
        expected = "module: nets.Net (models/nets.py) has no 'from_names'; did you mean 'from_name'?"
        assert _failure("nets.Net.from_names", folder) == expected

    def test_no_such_submodule(self) -> None:
        message = _failure("torchvision.model.squeezenet1_1")
        assert message.startswith("module: torchvision (")
        assert message.endswith(") has no 'model'; did you mean 'models'?")

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

    def test_a_broken_package_is_named(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "", "zoo/sub/__init__.py": "1 / 0", "zoo/sub/nets.py": NETS})
        with _unchanged():
            assert _failure("zoo.sub.nets.Net", folder) == (
                "module: importing zoo.sub.nets raised ZeroDivisionError: division by zero"
            )

    def test_a_relative_import_that_leads_nowhere(self, folder: Path) -> None:
        _write(folder, {"zoo/__init__.py": "", "zoo/nets.py": "from .parts import Net"})
        assert _failure("zoo.nets.Net", folder) == (
            "module: zoo.nets was found, but importing it raised ModuleNotFoundError: No module named 'zoo.parts'; "
            "install what it needs, or add its folder to python_path"
        )

    @pytest.mark.parametrize("module", ["imports.Net", "fails.Net"])
    def test_the_traceback_of_the_users_code_is_kept(self, folder: Path, module: str) -> None:
        _write(folder, {"imports.py": "import absent_dependency", "fails.py": "1 / 0"})
        with pytest.raises(ModelError) as info:
            _resolved(module, folder)
        cause = info.value.__cause__
        assert cause is not None
        frames = [Path(frame.filename).parent for frame in traceback.extract_tb(cause.__traceback__)]
        assert folder in frames


def test_a_path_that_another_thread_restores_meanwhile_is_not_lost(tmp_path):
    """Importing OpenCV puts ``sys.path`` back as it was when that began."""
    began, entered = threading.Event(), threading.Event()

    def restore():
        with PATH_LOCK:
            saved = list(sys.path)
            began.set()
            entered.wait(0.2)
            sys.path = saved

    thread = threading.Thread(target=restore)
    thread.start()
    began.wait()
    with importable([tmp_path]):
        entered.set()
        thread.join()
        assert str(tmp_path) in sys.path
    assert str(tmp_path) not in sys.path

import textwrap
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.importing import importable
from pytest_torchlauncher.launcher.module import build_module, evaluation_mode, is_constructed, keyword_names
from pytest_torchlauncher.located import located
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

FILE = Path("nets.launcher.yml")
MODULE, INIT_METHOD = Position(FILE, 4, 13), Position(FILE, 6, 18)
WHERE = Where(keys={"module": MODULE, "init_method": INIT_METHOD})

NETS = """
import torch

VERSION = "2"


class Net(torch.nn.Module):
    def __init__(self, width=1, *, bias=True):
        super().__init__()
        self.fc = torch.nn.Linear(width, 1, bias=bias)
        self.fc_count = 1

    @classmethod
    def from_name(cls, name):
        return cls({"small": 2, "large": 8}[name])

    def double(self):
        return torch.nn.Sequential(self, torch.nn.Linear(1, 1))

    def fuse(self):
        self.fused = True

    def count(self):
        return 3

    def fail(self):
        raise ValueError("not fitted")


def make(**options):
    return Net(**options)


def describe():
    return {"not": "a module"}


BUILT = Net()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    return tmp_path


def _spec(module: str, *python_path: Path, **keys: Any) -> LauncherSpec:
    adapter: Any = None
    return LauncherSpec("pytorch", ModuleName(module), adapter, python_path=python_path, where=WHERE, **keys)


def _build(module: str, *python_path: Path, args: tuple[Any, ...] = (), **kwargs: Any) -> Any:
    with importable(python_path):
        return build_module(_spec(module, *python_path, module_args=args, module_kwargs=kwargs))


def _initialised(method: str, folder: Path) -> Any:
    with importable([folder]):
        return build_module(_spec("nets.Net", folder, init_method=method))


def _failure(module: str, *python_path: Path, **kwargs: Any) -> str:
    with pytest.raises(ModelError) as info:
        _build(module, *python_path, **kwargs)
    assert info.value.where == MODULE
    assert str(info.value) == f"{MODULE}: {info.value.message}"
    return info.value.message


class TestCalls:
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
        assert _build(module, folder, **kwargs).fc.in_features == width

    def test_positional_arguments(self, folder: Path) -> None:
        assert _build("nets.Net.from_name", folder, args=("large",)).fc.in_features == 8

    def test_arguments_are_builtin_copies(self, folder: Path) -> None:
        code = """
            import torch

            class Keeps(torch.nn.Module):
                def __init__(self, sizes, **options):
                    super().__init__()
                    self.sizes, self.options = sizes, options
                    sizes.append("changed")
        """
        (folder / "keeps.py").write_text(textwrap.dedent(code))
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
        (folder / "warns.py").write_text(textwrap.dedent(code))
        with pytest.warns(UserWarning, match="The parameter 'pretrained' is mine"):
            _build("warns.make", folder)

    def test_without_memory(self, folder: Path) -> None:
        with torch.device("meta"):
            assert _build("nets.Net", folder).fc.weight.is_meta
        assert not _build("nets.Net", folder).fc.weight.is_meta

    def test_it_is_constructed(self) -> None:
        assert is_constructed(_spec("nets.Net"))
        assert not is_constructed(_spec("nets.Net", transformers_class="BertModel"))

    def test_it_has_a_signature_of_its_own(self) -> None:
        assert keyword_names(torch.nn.Linear(1, 1)) is None
        assert keyword_names(torch.fx.symbolic_trace(torch.nn.Linear(1, 1))) is None


class TestMistakes:
    @pytest.mark.parametrize(("name", "found"), [("VERSION", "str"), ("BUILT", "Net"), ("torch", "module")])
    def test_what_cannot_be_called(self, folder: Path, name: str, found: str) -> None:
        expected = f"module: nets.{name} is of type {found}; a class or function that returns an nn.Module expected"
        assert _failure(f"nets.{name}", folder) == expected

    def test_no_module_returned(self, folder: Path) -> None:
        assert _failure("nets.describe", folder) == "module: nets.describe(...) returned dict; an nn.Module expected"

    def test_exception_of_the_constructor(self, folder: Path) -> None:
        expected = "module: nets.Net(...) raised TypeError: Net.__init__() got an unexpected keyword argument 'wdith'"
        assert _failure("nets.Net", folder, wdith=3) == expected
        expected = "module: nets.Net.from_name(...) raised KeyError: 'huge'"
        assert _failure("nets.Net.from_name", folder, name="huge") == expected

    def test_the_traceback_of_the_users_code_is_kept(self, folder: Path) -> None:
        with pytest.raises(ModelError) as info:
            _build("nets.Net.from_name", folder, name="huge")
        cause = info.value.__cause__
        assert cause is not None
        frames = [Path(frame.filename) for frame in traceback.extract_tb(cause.__traceback__)]
        assert folder / "nets.py" in frames


class TestInitMethod:
    def test_its_result_replaces_the_module(self, folder: Path) -> None:
        first, second = _initialised("double", folder)
        assert type(first).__name__ == "Net"
        assert isinstance(second, torch.nn.Linear)

    @pytest.mark.parametrize(
        ("method", "message"),
        [
            ("duoble", "Net has no method 'duoble'; did you mean 'double'?"),
            ("zzzzzzz", "Net has no method 'zzzzzzz'"),
            ("fc_count", "Net has no method 'fc_count'; did you mean 'count'?"),
            ("fail", "Net.fail() raised ValueError: not fitted"),
            ("fuse", "Net.fuse() returned nothing; it must return the module to use, itself as a rule"),
            ("count", "Net.count() returned int; it must return the module to use, itself as a rule"),
        ],
    )
    def test_mistakes(self, folder: Path, method: str, message: str) -> None:
        with pytest.raises(ModelError) as info:
            _initialised(method, folder)
        assert str(info.value) == f"{INIT_METHOD}: init_method: {message}"


class TestEvaluationMode:
    def test_all_parts(self) -> None:
        module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Sequential(torch.nn.Dropout()))
        evaluation_mode(module)
        assert not any(part.training for part in module.modules())

    def test_a_module_that_holds_an_exported_program(self) -> None:
        program = torch.export.export(torch.nn.ReLU(), (torch.ones(2),)).module()
        module = torch.nn.Sequential(torch.nn.Dropout(), program, torch.nn.Dropout())
        evaluation_mode(module)
        assert module(torch.ones(2)).tolist() == [1, 1]

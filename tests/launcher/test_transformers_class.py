import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_torchlauncher.errors import LauncherError, MissingExtraError, Position
from pytest_torchlauncher.launcher.importing import importable
from pytest_torchlauncher.launcher.module import build_module
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

FILE = Path("bert.launcher.yml")
KEYS = ("module", "python_path", "transformers_class", "module_kwargs")
WHERE = Where(keys={key: Position(FILE, line, 5) for line, key in enumerate(KEYS, 3)})
IDS = torch.tensor([[1, 2, 3, 4], [4, 3, 2, 1]])


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def bert(transformers: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "vocab_size": 8, "max_position_embeddings": 8}
    config = transformers.BertConfig(num_hidden_layers=2, num_attention_heads=2, **sizes)
    return transformers.BertModel(config).eval()


@pytest.fixture
def folder(bert: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    bert.save_pretrained(tmp_path / "nets" / "bert")
    return tmp_path / "nets" / "bert"


def _build(module: str, path: Path | None = None, name: str = "BertModel", **keys: Any) -> Any:
    adapter: Any = None
    named = ModuleName(module, path)
    spec = LauncherSpec("pytorch", named, adapter, transformers_class=name, where=WHERE, **keys)
    with importable(spec.python_path):
        return build_module(spec)


def _failure(key: str, *args: Any, **keys: Any) -> str:
    with pytest.raises(LauncherError) as info:
        _build(*args, **keys)
    where = WHERE[key]
    assert info.value.where == where
    assert str(info.value).startswith(f"{where}: {key}: ")
    assert "\n" not in str(info.value)
    return str(info.value).removeprefix(f"{where}: {key}: ")


class TestSources:
    def test_a_folder(self, bert: Any, folder: Path) -> None:
        module = _build("nets/bert", folder)
        assert not module.training
        with torch.inference_mode():
            assert torch.equal(module(IDS).last_hidden_state, bert(IDS).last_hidden_state)

    @pytest.mark.parametrize("module", ["", "ignored"])
    def test_a_folder_as_python_path(self, bert: Any, folder: Path, module: str) -> None:
        built = _build(module, python_path=(folder,))
        assert torch.equal(built.embeddings.word_embeddings.weight, bert.embeddings.word_embeddings.weight)

    def test_a_class_that_chooses_one(self, folder: Path) -> None:
        assert type(_build("nets/bert", folder, "AutoModel")).__name__ == "BertModel"

    def test_arguments(self, folder: Path) -> None:
        module = _build("nets/bert", folder, module_kwargs={"add_pooling_layer": False, "trust_remote_code": False})
        assert module.pooler is None
        assert _build("nets/bert", folder, module_args=(False,)).pooler is None

    def test_its_init_method(self, folder: Path) -> None:
        assert type(_build("nets/bert", folder, init_method="get_input_embeddings")) is torch.nn.Embedding

    def test_new_weights_and_warnings_are_no_failure(
        self, transformers: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = transformers.BertForSequenceClassification.from_pretrained

        def talkative(*args: Any, **kwargs: Any) -> Any:
            warnings.warn("newly initialised", UserWarning, stacklevel=1)
            return original(*args, **kwargs)

        monkeypatch.setattr(transformers.BertForSequenceClassification, "from_pretrained", talkative)
        module = _build("nets/bert", folder, "BertForSequenceClassification", module_kwargs={"num_labels": 3})
        assert module.classifier.out_features == 3


class TestCache:
    def test_the_cache_comes_before_the_network(self, transformers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        calls = []

        def from_pretrained(name: str, *args: Any, **kwargs: Any) -> torch.nn.Module:
            calls.append((name, args, kwargs))
            return torch.nn.ReLU()

        monkeypatch.setattr(transformers.BertModel, "from_pretrained", from_pretrained)
        _build("acme/bert", Path("acme/bert"), module_args=(1,), module_kwargs={"revision": "v1"})
        options = {"revision": "v1", "trust_remote_code": False, "local_files_only": True}
        assert calls == [("acme/bert", (1,), options)]

    def test_what_is_not_cached_is_fetched(self, transformers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def from_pretrained(name: str, **kwargs: Any) -> torch.nn.Module:
            if kwargs.get("local_files_only"):
                raise OSError("not cached")
            return torch.nn.ReLU()

        monkeypatch.setattr(transformers.BertModel, "from_pretrained", from_pretrained)
        assert isinstance(_build("bert"), torch.nn.ReLU)

    @pytest.mark.parametrize(
        ("module", "path", "advice"),
        [
            ("acme/bert", Path("acme/bert"), "(hf download acme/bert), or put its folder at acme/bert"),
            ("bert", None, "(hf download bert), or name a folder, with a slash: ./bert"),
        ],
    )
    def test_neither_folder_nor_cached(
        self,
        transformers: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        module: str,
        path: Path | None,
        advice: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        options = {"local_files_only": True, "cache_dir": str(tmp_path)}
        message = _failure("module", module, path, module_kwargs=options)
        assert message.startswith(f"transformers.BertModel.from_pretrained({module!r}) raised OSError: ")
        assert message.endswith(f"; fetch it once where there is network {advice}")


class TestMistakes:
    @pytest.mark.parametrize("module", ["./nobert", "../nobert"])
    def test_a_folder_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
        pytest.importorskip("transformers")
        monkeypatch.chdir(tmp_path)
        message = _failure("module", module, tmp_path / "nobert")
        assert message == "the folder nobert is not there; correct the path, or name what transformers can fetch"

    def test_missing_package(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "transformers", None)
        message = _failure("transformers_class", "nets/bert", folder)
        assert message == 'BertModel needs transformers: pip install "pytest-torchlauncher[transformers]"'
        with pytest.raises(MissingExtraError):
            _build("nets/bert", folder)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("BertModell", "transformers has no class 'BertModell'; did you mean 'BertModel'?"),
            ("Zzzzzzzzzzz", "transformers has no class 'Zzzzzzzzzzz'"),
            ("__version__", "transformers.__version__ has no from_pretrained; a class of models expected"),
            ("BertConfig", "transformers.BertConfig.from_pretrained(...) returned BertConfig; an nn.Module expected"),
        ],
    )
    def test_no_class_of_modules(self, transformers: Any, folder: Path, name: str, message: str) -> None:
        assert _failure("transformers_class", "nets/bert", folder, name) == message

    def test_a_folder_without_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        message = _failure("module", "nets/bert", folder)
        calling = f"transformers.BertModel.from_pretrained({str(folder)!r})"
        assert message.startswith(f"{calling} raised OSError: Error no file named model.safetensors")
        message = _failure("python_path", "", python_path=(folder,))
        assert message.startswith(f"{calling} raised OSError: Error no file named model.safetensors")

    def test_an_argument_it_does_not_take(self, folder: Path) -> None:
        message = _failure("module", "nets/bert", folder, module_kwargs={"hiden": 1})
        assert message.endswith("TypeError: BertModel.__init__() got an unexpected keyword argument 'hiden'")


class _Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


class TestForeignCode:
    def test_pickles_are_not_run(self, bert: Any, folder: Path, tmp_path: Path) -> None:
        (folder / "model.safetensors").unlink()
        trace = tmp_path / "trace"
        torch.save({**bert.state_dict(), "payload": _Payload(trace)}, folder / "pytorch_model.bin")
        assert _failure("module", "nets/bert", folder) == (
            f"{folder} holds more than tensors in a pickle, and loading that could run code from it; "
            "save them as safetensors: model.save_pretrained(folder)"
        )
        assert not trace.exists()
        torch.load(folder / "pytorch_model.bin", weights_only=False)
        assert trace.exists()

    def test_pickles_of_tensors_are_read(self, bert: Any, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        torch.save(bert.state_dict(), folder / "pytorch_model.bin")
        module = _build("nets/bert", folder)
        assert torch.equal(module.embeddings.word_embeddings.weight, bert.embeddings.word_embeddings.weight)

    def test_pickles_cannot_be_allowed(self, folder: Path) -> None:
        assert _failure("module_kwargs", "nets/bert", folder, module_kwargs={"weights_only": False}) == (
            "weights_only: false could run code from the weights; "
            "save them as safetensors: model.save_pretrained(folder)"
        )

    def test_remote_code_cannot_be_allowed(self, folder: Path) -> None:
        assert _failure("module_kwargs", "nets/bert", folder, module_kwargs={"trust_remote_code": True}) == (
            "trust_remote_code would run code that comes with the weights; put that code on python_path and name its "
            "class as 'module', without transformers_class"
        )

    def test_remote_code_is_not_run(self, folder: Path, tmp_path: Path) -> None:
        code = f"import os\nos.mkdir({str(tmp_path / 'trace')!r})\n\nclass Custom: ...\n"
        (folder / "custom.py").write_text(code)
        (folder / "config.json").write_text(
            '{"auto_map": {"AutoModel": "custom.Custom", "AutoConfig": "custom.Custom"}}'
        )
        message = _failure("module", "nets/bert", folder, "AutoModel")
        assert f"from_pretrained({str(folder)!r}) raised ValueError: The repository {folder} contains custom" in message
        assert not (tmp_path / "trace").exists()

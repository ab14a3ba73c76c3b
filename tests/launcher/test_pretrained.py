import http.client
import inspect
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torchvision.models import AlexNet_Weights, SqueezeNet, SqueezeNet1_1_Weights, get_model_builder, list_models

from pytest_torchlauncher.errors import ModelError, Position
from pytest_torchlauncher.launcher.module import build_module
from pytest_torchlauncher.launcher.pretrained import legacy_weights
from pytest_torchlauncher.options import Where
from pytest_torchlauncher.paths import ModuleName
from pytest_torchlauncher.plan import LauncherSpec

MODULE = Position(Path("alexnet.launcher.yml"), 7, 13)
FORBIDDEN = urllib.error.HTTPError("https://x", 403, "Forbidden", http.client.HTTPMessage(), None)
SQUEEZENET = "torchvision.models.squeezenet1_1"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return torch's folder of downloaded weights, empty, in a world without network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    _no_answer(monkeypatch, urllib.error.URLError(OSError(-2, "Name or service not known")))
    return tmp_path / "hub" / "checkpoints"


def _no_answer(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def urlopen(*_: object) -> None:
        raise error

    monkeypatch.setattr(torch.hub, "urlopen", urlopen)


def _build(module: str, **kwargs: Any) -> Any:
    adapter: Any = None
    where = Where(keys={"module": MODULE})
    return build_module(LauncherSpec("pytorch", ModuleName(module), adapter, module_kwargs=kwargs, where=where))


def _failure(module: str, **kwargs: Any) -> str:
    with pytest.raises(ModelError) as info:
        _build(module, **kwargs)
    assert info.value.__cause__ is None
    assert info.value.__suppress_context__
    assert str(info.value) == f"{MODULE}: {info.value.message}"
    return info.value.message


def _cached(cache: Path, url: str, module: torch.nn.Module, value: float) -> None:
    """Put weights that are all `value` where the download from `url` would lie, as views of a single number."""
    state = {name: torch.tensor(value).expand(tensor.shape) for name, tensor in module.state_dict().items()}
    cache.mkdir(parents=True, exist_ok=True)
    torch.save(state, cache / url.rpartition("/")[2])


def _legacy_interface(builder: Any) -> dict[str, Any]:
    """Return what torchvision's own decorator knows: for each parameter the old name and the old default."""
    while True:
        variables = inspect.getclosurevars(builder).nonlocals
        if isinstance(variables.get("weights"), dict):
            return variables["weights"]
        builder = variables["fn"]


class TestCache:
    def test_alexnet_needs_no_network_once_its_weights_are_there(self, cache: Path) -> None:
        with torch.device("meta"):
            empty = torchvision.models.alexnet()
        _cached(cache, AlexNet_Weights.IMAGENET1K_V1.url, empty, 0.25)
        module = _build("torchvision.models.alexnet", pretrained=True)
        assert module.classifier[6].weight.unique().tolist() == [0.25]

    def test_no_network_and_no_weights(self, cache: Path) -> None:
        assert _failure(SQUEEZENET, pretrained=True) == (
            "module: torchvision.models.squeezenet1_1(...) could not download "
            "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth "
            "(no network: [Errno -2] Name or service not known); "
            f"put the file at {cache / 'squeezenet1_1-b8a52dc0.pth'}"
        )

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (FORBIDDEN, "HTTPError: HTTP Error 403: Forbidden"),
            (TimeoutError("timed out"), "TimeoutError: timed out"),
            (ConnectionResetError(), "ConnectionResetError"),
        ],
    )
    def test_other_failures_of_a_download(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
    ) -> None:
        _no_answer(monkeypatch, error)
        url = SqueezeNet1_1_Weights.IMAGENET1K_V1.url
        expected = f"could not download {url} ({reason}); put the file at {cache / url.rpartition('/')[2]}"
        assert _failure(SQUEEZENET, weights="DEFAULT").endswith(expected)

    def test_nothing_is_left_behind(self, cache: Path) -> None:
        _failure(SQUEEZENET, pretrained=True)
        assert list(cache.iterdir()) == []

    def test_builders_with_downloads_of_their_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def builder() -> None:
            raise urllib.error.URLError("no route")

        monkeypatch.setattr(torchvision.models, "own_download", builder, raising=False)
        with pytest.raises(ModelError) as info:
            _build("torchvision.models.own_download")
        assert info.value.message == (
            "module: torchvision.models.own_download(...) raised URLError: <urlopen error no route>"
        )
        assert isinstance(info.value.__cause__, urllib.error.URLError)


class TestLegacyWeights:
    @pytest.mark.parametrize("quantize", [False, True])
    @pytest.mark.parametrize("name", list_models())
    def test_as_torchvision_maps_them_today(self, name: str, quantize: bool) -> None:
        builder = get_model_builder(name)
        kwargs = {"pretrained": True, **({"quantize": quantize} if name.startswith("quantized_") else {})}
        _, old = _legacy_interface(builder)["weights"]
        expected = old(dict(kwargs)) if callable(old) else old
        assert (legacy_weights(builder, kwargs) or {}).get("weights") == expected

    def test_there_are_builders_without(self) -> None:
        without = [n for n in list_models() if legacy_weights(get_model_builder(n), {"pretrained": True}) is None]
        assert without == ["regnet_y_128gf", "vit_h_14"]

    def test_other_arguments_stay(self) -> None:
        builder = get_model_builder("raft_large")
        kwargs = legacy_weights(builder, {"pretrained": False, "progress": False})
        assert kwargs == {"weights": None, "progress": False}
        assert legacy_weights(builder, {"pretrained": True, "weights": None}) is None

    def test_other_builders(self) -> None:
        assert legacy_weights(torch.nn.Linear, {"pretrained": True}) is None


def _refusing(*, weights: SqueezeNet1_1_Weights | None = None, num_classes: int = 1000) -> Any:
    """Stand in for what torchvision's builders will be."""
    return torchvision.models.squeezenet1_1(weights=weights, num_classes=num_classes)


def _foreign(*, width: int = 1) -> Any:
    raise AssertionError("not reached")


class TestRefusedPretrained:
    @pytest.fixture(autouse=True)
    def _builders(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torchvision.models, "refusing", _refusing, raising=False)
        monkeypatch.setattr(torchvision.models, "foreign", _foreign, raising=False)

    def test_true_gives_the_legacy_weights(self, cache: Path) -> None:
        _cached(cache, SqueezeNet1_1_Weights.IMAGENET1K_V1.url, torchvision.models.squeezenet1_1(), 0.5)
        module = _build("torchvision.models.refusing", pretrained=True)
        assert module.classifier[1].bias.unique().tolist() == [0.5]

    def test_true_without_network(self, cache: Path) -> None:
        message = _failure("torchvision.models.refusing", pretrained=True)
        assert message.startswith("module: torchvision.models.refusing(...) could not download https://download.pyt")

    def test_false_gives_none(self) -> None:
        module = _build("torchvision.models.refusing", pretrained=False, num_classes=3)
        assert isinstance(module, SqueezeNet)
        assert module.num_classes == 3

    @pytest.mark.parametrize(
        ("name", "kwargs", "argument"),
        [
            ("foreign", {"pretrained": True}, "pretrained"),
            ("refusing", {"pretrained": True, "weights": None}, "pretrained"),
            ("refusing", {"pretraind": True}, "pretraind"),
        ],
    )
    def test_what_stays_refused(self, name: str, kwargs: dict[str, Any], argument: str) -> None:
        with pytest.raises(ModelError) as info:
            _build(f"torchvision.models.{name}", **kwargs)
        assert info.value.message == (
            f"module: torchvision.models.{name}(...) raised TypeError: _{name}() got an unexpected keyword argument "
            f"{argument!r}"
        )

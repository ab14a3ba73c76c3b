from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_specs import Net, failure, load, same
from torch import nn

ADVICE = "; are the module and its arguments those of the training?"


class Holder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 2)
        self.my_orig_mod = nn.Linear(2, 2)


class Headless(nn.Module):
    def __init__(self) -> None:
        super().__init__()


class Refusing(Net):
    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("not\n  these")


class Versioned(nn.Linear):
    """Keeps its weight with the other sign since version 2."""

    _version = 2

    def __init__(self) -> None:
        super().__init__(2, 2)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if local_metadata.get("version", 1) < 2:
            state_dict[f"{prefix}weight"] = -state_dict[f"{prefix}weight"]
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return Net().state_dict()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


def test_without_checkpoint_the_module_stays_as_it_was_built() -> None:
    torch.manual_seed(3)
    expected = Net().state_dict()
    torch.manual_seed(3)
    loaded = load(None)
    assert same(loaded.module, expected)
    assert (loaded.missing_keys, loaded.unexpected_keys, loaded.lean) == ((), (), False)


PREFIXES = ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module."]


class TestWrappers:
    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_prefixes_are_stripped(self, path: Path, state: dict[str, torch.Tensor], prefix: str) -> None:
        torch.save({prefix + name: tensor for name, tensor in state.items()}, path)
        assert same(load(path).module, state)

    def test_data_parallel(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        net = Net()
        net.load_state_dict(state)
        torch.save(nn.DataParallel(net).state_dict(), path)
        assert same(load(path).module, state)

    def test_compiled_parts(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        net = Net()
        net.load_state_dict(state)
        net.bn = torch.compile(net.bn)  # type: ignore[assignment]
        saved = nn.DataParallel(torch.compile(net)).state_dict()  # type: ignore[arg-type]
        assert "module._orig_mod.bn._orig_mod.weight" in saved
        torch.save(saved, path)
        assert same(load(path).module, state)

    @pytest.mark.parametrize("prefix", ["", *PREFIXES])
    @pytest.mark.parametrize("lean", [True, False])
    def test_versions_stay_with_their_modules(self, path: Path, prefix: str, lean: bool) -> None:
        state = OrderedDict({f"{prefix}weight": torch.ones(2, 2), f"{prefix}bias": torch.ones(2)})
        own = prefix.removesuffix(".")
        state._metadata = OrderedDict({"": {"version": 1}, own: {"version": 2}})  # type: ignore[attr-defined]
        torch.save(state, path)
        loaded = load(path, Versioned, strict=lean)
        assert torch.equal(loaded.module.get_parameter("weight"), torch.ones(2, 2))
        del state._metadata  # type: ignore[attr-defined]
        torch.save(state, path)
        assert torch.equal(load(path, Versioned).module.get_parameter("weight"), -torch.ones(2, 2))

    def test_names_of_the_module_itself_are_kept(self, path: Path) -> None:
        state = {name: torch.ones_like(tensor) for name, tensor in Holder().state_dict().items()}
        torch.save({name: tensor for name, tensor in state.items() if name.startswith("module.")}, path)
        assert load(path, Holder, strict=False).unexpected_keys == ()
        torch.save(state, path)
        assert same(load(path, Holder).module, state)

    def test_a_prefix_of_some_keys_only_is_kept(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save(
            {("module." if name.startswith("fc") else "") + name: tensor for name, tensor in state.items()}, path
        )
        assert "2 unexpected: module.fc.weight, module.fc.bias" in failure(path)


class TestStrict:
    def test_everything_that_does_not_fit_is_listed(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        del state["bn.bias"]
        others = {"head.weight": torch.zeros(1), "fc.bias": torch.zeros(3), "conv.bias": torch.zeros(5)}
        torch.save({**state, **others}, path)
        shapes = "conv.bias (5,) where the module has (4,), fc.bias (3,) where the module has (2,)"
        assert failure(path) == (
            "does not fit checkpoint_specs.Net: 1 missing: bn.bias; 1 unexpected: head.weight; "
            f"2 of another shape: {shapes}{ADVICE}"
        )
        expected = f"does not fit checkpoint_specs.Net: 2 of another shape: {shapes}{ADVICE}"
        assert failure(path, strict=False) == expected

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
    def test_a_shape_that_could_be_broadcast(self, path: Path, state: Any, dtype: torch.dtype) -> None:
        torch.save({**state, "conv.bias": torch.zeros(1, dtype=dtype)}, path)
        assert "1 of another shape: conv.bias (1,) where the module has (4,)" in failure(path)

    def test_missing_keys_alone(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        del state["conv.weight"], state["fc.bias"]
        torch.save(state, path)
        assert failure(path) == f"does not fit checkpoint_specs.Net: 2 missing: conv.weight, fc.bias{ADVICE}"

    def test_long_lists_are_cut(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({**state, **{f"extra.{index:02}": torch.zeros(1) for index in range(13)}}, path)
        names = ", ".join(f"extra.{index:02}" for index in range(10))
        assert failure(path) == f"does not fit checkpoint_specs.Net: 13 unexpected: {names} and 3 more{ADVICE}"

    def test_what_torch_converts_itself_is_no_mismatch(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        del state["bn.num_batches_tracked"]
        torch.save(dict(state), path)
        assert torch.equal(load(path).module.get_buffer("bn.running_mean"), state["bn.running_mean"])


class TestNotStrict:
    def test_differing_keys_are_returned(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        del state["fc.weight"], state["conv.weight"]
        torch.save({**state, "z": torch.zeros(1), "head.weight": torch.zeros(1)}, path)
        loaded = load(path, strict=False)
        assert loaded.missing_keys == ("conv.weight", "fc.weight")
        assert loaded.unexpected_keys == ("z", "head.weight")
        assert torch.equal(loaded.module.get_parameter("bn.bias"), state["bn.bias"])
        assert not loaded.lean

    def test_what_is_missing_is_as_it_was_built(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        del state["fc.weight"]
        torch.save(state, path)
        torch.manual_seed(5)
        expected = Net().fc.weight
        torch.manual_seed(5)
        assert torch.equal(load(path, strict=False).module.get_parameter("fc.weight"), expected)

    def test_unexpected_keys_alone_are_lean(self, path: Path, state: dict[str, torch.Tensor]) -> None:
        torch.save({**state, "head.weight": torch.zeros(1)}, path)
        loaded = load(path, strict=False)
        assert (loaded.unexpected_keys, loaded.lean) == (("head.weight",), True)


@pytest.mark.parametrize("strict", [True, False])
def test_no_key_matches(path: Path, strict: bool) -> None:
    torch.save({"b": torch.zeros(1), "a": torch.zeros(1)}, path)
    own = "bn.bias, bn.num_batches_tracked, bn.running_mean, bn.running_var, bn.weight, conv.bias, conv.weight"
    expected = f"has no key of checkpoint_specs.Net; its keys: a, b; the module's: {own}, fc.bias, fc.weight"
    assert failure(path, strict=strict) == expected
    expected = "has no key of test_state.Headless; its keys: a, b; the module's: none"
    assert failure(path, Headless, strict=strict) == expected


def test_exception_of_the_module_while_loading(path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save(state, path)
    expected = "cannot be loaded into test_state.Refusing: RuntimeError: not these"
    assert failure(path, Refusing) == expected

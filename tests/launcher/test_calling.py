from collections.abc import Sequence
from typing import Any, List  # noqa: UP035

import pytest
import torch
from torch import Tensor, nn

from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.launcher.calling import Arguments, Convention


class Two(nn.Module):
    def forward(self, a, b=None):
        """Is asked for its signature only."""


class KeywordOnly(nn.Module):
    def forward(self, x, *, scale=1):
        """Is asked for its signature only."""


class Positional(nn.Module):
    def forward(self, a, b, /):
        """Is asked for its signature only."""


class Any_(nn.Module):
    def forward(self, *args):
        """Is asked for its signature only."""


class Named(nn.Module):
    def forward(self, **kwargs):
        """Is asked for its signature only."""


class Lists(nn.Module):
    def forward(self, images: list[Tensor], targets: Any = None):
        """Is asked for its signature only."""


class OldLists(nn.Module):
    def forward(self, images: List[Tensor]):  # noqa: UP006
        """Is asked for its signature only."""


class OptionalLists(nn.Module):
    def forward(self, images: Sequence[Tensor] | None = None):
        """Is asked for its signature only."""


class TextLists(nn.Module):
    def forward(self, images: "list[torch.Tensor]", other: "Unknown" = None):  # noqa: F821
        """Is asked for its signature only."""


def _named(module: nn.Module, **inputs: Any) -> Arguments:
    return Convention.of(module).named_inputs(list(inputs.items()))


@pytest.mark.parametrize(
    ("module", "inputs", "expected"),
    [
        (Two(), {"a": 1}, Arguments((), {"a": 1})),
        (Two(), {"image": 1}, Arguments((1,))),
        (Two(), {"b": 1, "a": 2}, Arguments((), {"b": 1, "a": 2})),
        (KeywordOnly(), {"scale": 2, "x": 1}, Arguments((), {"scale": 2, "x": 1})),
        (Positional(), {"a": 1}, Arguments((1,))),
        (Positional(), {"a": 1, "b": 2}, Arguments((1, 2))),
        (Any_(), {"a": 1, "b": 2}, Arguments((1, 2))),
        (Any_(), {"a": 1}, Arguments((1,))),
        (Named(), {"a": 1}, Arguments((), {"a": 1})),
        (Named(), {"a": 1, "b": 2}, Arguments((), {"a": 1, "b": 2})),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_named_inputs(module: nn.Module, inputs: dict[str, Any], expected: Arguments) -> None:
    assert _named(module, **inputs) == expected


@pytest.mark.parametrize(
    ("module", "data", "inputs", "expected"),
    [
        (Two(), 1, {}, Arguments((1,))),
        (Two(), 1, {"b": 2}, Arguments((1,), {"b": 2})),
        (Any_(), 1, {"b": 2, "c": 3}, Arguments((1, 2, 3))),
        (Two(), (1, 2), {}, Arguments((1, 2))),
        (Two(), (1, 2, 3), {}, Arguments(((1, 2, 3),))),
        (Two(), {"a": 1, "b": 2}, {}, Arguments((), {"a": 1, "b": 2})),
        (Two(), {"a": 1}, {"b": 2}, Arguments((), {"a": 1, "b": 2})),
        (Two(), {"left": 1, "right": 2}, {}, Arguments(({"left": 1, "right": 2},))),
    ],
)
def test_sample_first(module: nn.Module, data: Any, inputs: dict[str, Any], expected: Arguments) -> None:
    assert Convention.of(module).sample_first(data, list(inputs.items())) == expected


@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [
        (Two(), {"x": 1, "b": 2}, "forward has no parameter 'x'; it has a, b"),
        (Two(), {"x": 1, "y": 2}, "forward has no parameter 'x'; it has a, b"),
        (KeywordOnly(), {"scal": 2, "x": 1}, "forward has no parameter 'scal'; it has x, scale; did you mean 'scale'?"),
    ],
)
def test_names_that_the_module_does_not_have(module: nn.Module, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as info:
        _named(module, **inputs)
    assert str(info.value) == message


def test_an_input_beside_a_sample_is_a_parameter() -> None:
    with pytest.raises(DataError, match=r"^forward has no parameter 'nope'; it has a, b$"):
        Convention.of(Two()).sample_first(1, [("nope", 2)])
    with pytest.raises(DataError, match=r"^b is a part of the sample too; choose it with type INPUT, or rename one$"):
        Convention.of(Two()).sample_first({"a": 1, "b": 2}, [("b", 3)])


def test_programs_are_called_by_position() -> None:
    script = Convention.of(Two(), keywords=frozenset())
    assert script.named_inputs([("a", 1), ("b", 2)]) == Arguments((1, 2))
    exported = Convention.of(Two(), keywords=frozenset({"a", "b"}))
    assert exported.named_inputs([("a", 1), ("b", 2)]) == Arguments((), {"a": 1, "b": 2})
    mixed = Convention.of(Two(), keywords=frozenset({"b"}))
    assert mixed.named_inputs([("b", 2), ("a", 1)]) == Arguments((1,), {"b": 2})
    assert mixed.sample_first(1, [("c", 3), ("b", 2)]) == Arguments((1, 3), {"b": 2})


@pytest.mark.parametrize("module", [Lists(), OldLists(), OptionalLists(), TextLists()])
def test_parameters_that_take_a_list(module: nn.Module) -> None:
    convention = Convention.of(module)
    assert convention.takes_list()
    assert convention.takes_list("images")
    assert convention.takes_list("whatever the first is called")
    assert not convention.takes_list("targets") or not isinstance(module, Lists)
    assert not Convention.of(Two()).takes_list()
    assert not Convention.of(Any_()).takes_list()


def test_torchvision_detection_models_take_a_list() -> None:
    from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

    model = GeneralizedRCNN(nn.Identity(), nn.Identity(), nn.Identity(), nn.Identity())
    assert Convention.of(model).takes_list()


def test_a_forward_without_a_signature() -> None:
    module = nn.Module()
    module.forward = 3  # type: ignore[assignment]
    assert Convention.of(module).named_inputs([("a", 1)]) == Arguments((1,))

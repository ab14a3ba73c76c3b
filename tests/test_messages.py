"""Messages for users have one style: what was found, and what was expected or what to do; the place is put before."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_torchlauncher

PACKAGE = Path(pytest_torchlauncher.__file__).parent
CALLS = {
    "LauncherError", "ConfigError", "DataError", "ModelError", "OutputError", "MissingDataError", "MissingDeviceError",
    "MissingExtraError", "BaselineError", "HistoryError", "ValueError", "UsageError", "refused", "LookupError",
    "Problem",
}  # fmt: skip
"""What messages of this package are made of."""
TELLS = re.compile(
    r"""expected|;|missing|did\ you\ mean|there\ are
    |is\ not\ there|cannot\ be\ read|is\ not\ on\ this\ machine   # the path, or what there is, is all that can be said
    |is\ no\ regular\ expression|damaged|not\ YAML                # the parser's own words follow
    |not\ supported\ here\ yet|excludes?\ each\ other
    """,
    re.X,
)
EXCEPTIONS = {
    # Followed by a suggestion, or by the names that there are.
    "unknown device {}{}", "unknown name {}{}{} there are {}",
    "{} is known to the Accuracy Checker, not supported here yet",
    "init_method: {} has no method {}{}", "transforms: {} has no part {}{}", "transformers_class: {}{}",
    # Followed by a user's own exception, or that of a library.
    "fixture: {} raised {}: {}", "transforms: {} cannot be imported: {}", "kwargs: {} cannot be built: {}",
    "no table of numbers: {}", "no array saved by numpy found: {}",
    "{} bytes found that numpy cannot read without pickle ({})", "{} bytes found that Pillow cannot decode ({})",
    "{} {} cannot be read as a pickle: {}", "transformers_class: {} needs transformers: {}",
    # Followed by what was expected, in a variable.
    "{} returned {} numbers for {} samples, {}", "{} returned an empty mapping, {}", "{} returned {}, {}",
    "{} with value, or remove shape", "name: {} called {}{}", "id {} found", "bbox {} found",
    "an area or keypoint that is no finite number found",
    "{}: {}: {}_source",
    # For the authors of blocks and of tests.
    "auto_resize works in an evaluation only, where the model's input is known",
    # The sentence itself says what to do.
    "this step works on arrays, not on tensors: put it before the step that makes the tensor, or remove it",
    "a segmentation found that is neither a list of polygons with three points or more nor run lengths",
    "outcomes of {} are not those that its baseline names",
    "inputs: {}: {} is no image, and {} is made of an image's size",
}  # fmt: skip


def text_of(node: ast.AST) -> str | None:
    """Return a text with ``{}`` for what is put in; None of anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def messages(source: str) -> Iterator[str]:
    """Yield the messages of more than one word in `source`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in CALLS:
            yield from (text for part in node.args if (text := text_of(part)) and " " in text.strip())


def is_good(message: str) -> bool:
    return (
        not message.endswith((".", "!"))
        and not re.match(r"(?!NaN)[A-Z][a-z]", message)
        and bool(TELLS.search(message) or is_frame(message) or message in EXCEPTIONS)
    )


def is_frame(message: str) -> bool:
    """Return whether `message` puts a subject before another one."""
    words = re.findall(r"[a-z]{2,}", message.replace("{}", " "))
    return message.rstrip(")").endswith("{}") and len(words) <= 3


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_messages_say_what_was_expected_or_what_to_do(path):
    assert [message for message in messages(path.read_text()) if not is_good(message)] == []


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('the value is invalid')",
        "raise DataError(f'failed to load the file {name}')",
        "raise ModelError('Something went wrong; try again')",
        "raise pytest.UsageError('the option is wrong, another expected.')",
        "refused(f'{value} is not allowed here')",
    ],
)
def test_others_are_caught(source):
    (message,) = messages(source)
    assert not is_good(message)


def test_every_exception_is_still_needed():
    written = {message for path in FILES for message in messages(path.read_text())}
    assert {message for message in EXCEPTIONS if message not in written} == set()

"""The code blocks of the documentation: found, and run."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pytest_torchlauncher.config.loader import load_file
from pytest_torchlauncher.config.reading import Settings

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.M | re.S,
)
_WITH = re.compile(r"^<!-- with: (\w+) -->$", re.M)


@dataclass(frozen=True)
class Block:
    """A code block: its language, the file that it is, what the comment above says, and its text."""

    language: str
    title: str
    note: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [
        Block(m["language"], m["title"] or "", m["note"] or "", m["text"])
        for m in _FENCE.finditer(page.read_text("utf-8"))
    ]


def builds_on(page: Path) -> str | None:
    """Return the page whose blocks are run before those of `page`."""
    match = _WITH.search(page.read_text("utf-8"))
    return match[1] if match else None


def run(page: Path, folder: Path) -> None:
    """Write, run and check all blocks of `page` in `folder`."""
    output = ""
    for block in blocks(page):
        if block.note.startswith("not run: "):
            continue
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        if block.language == "sh":
            output = shell(block, folder)
        elif block.language == "text":
            compare(block.text, output)
        else:
            check(block, folder)


def shell(block: Block, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{block.text}"], cwd=folder, env=environment, capture_output=True, text=True
    )
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == (block.note == "fails"), f"{block.text}\n{output}"
    return output


def compare(expected: str, output: str) -> None:
    """Check that the output has the lines that are shown, whatever stands for their ellipses."""
    for line in filter(None, map(str.strip, expected.splitlines())):
        pattern = ".*".join(map(re.escape, line.split("…")))
        assert re.search(pattern, output), f"{line}\nis not in\n{output}"


def check(block: Block, folder: Path) -> None:
    """Run Python that is no file of the project, and read everything else as what it is."""
    if block.language == "python":
        code = compile(block.text, block.title or "block", "exec")
        if not block.title:
            exec(code, {"__name__": "block"})
    elif block.language == "yaml":
        content = yaml.safe_load(block.text)
        assert content is not None or block.text.startswith("#")
        if block.title.endswith(".launcher.yml") and "conftest.py" not in os.listdir(folder):
            load_file(folder / block.title, Settings())
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "ini":
        configparser.ConfigParser().read_string(block.text)
    else:
        raise AssertionError(f"nothing checks blocks of {block.language}")


def pages() -> Iterator[Path]:
    """Yield all pages but those that are generated."""
    return iter(sorted(DOCS.rglob("*.md")))

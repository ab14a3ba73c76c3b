"""Builds the site into a folder, strictly and without the network: python docs/build.py FOLDER."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import _reference

ROOT = Path(__file__).parents[1]


def build(site: Path) -> int:
    """Write the site and return the exit code: not 0 where a link or an anchor leads nowhere, say."""
    with tempfile.TemporaryDirectory() as work:
        sources = Path(work) / "docs"
        shutil.copytree(ROOT / "docs", sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for uri, text in _reference.pages().items():
            (sources / uri).parent.mkdir(exist_ok=True)
            (sources / uri).write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "mkdocs.yml", work)
        code = subprocess.run(["zensical", "build", "--strict"], cwd=work).returncode
        if code == 0:
            shutil.copytree(Path(work) / "site", site, dirs_exist_ok=True)
    return code


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1])))

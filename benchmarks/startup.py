"""What the plugin adds to the start of pytest in a project without launcher files.

    python benchmarks/startup.py [--pairs 25]

Whole processes of `pytest -q` in a folder with one test, with this plugin and with none, in turn.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from loops.turns import in_turns, pytest_seconds


def main(pairs: int) -> None:
    """Print a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        sides = [lambda: pytest_seconds(project), lambda: pytest_seconds(project, plugin=False)]
        ours, others = in_turns(sides, pairs)
    more = [1000 * (one - other) for one, other in zip(ours, others, strict=True)]
    print(
        f"| start-up without launcher files | {1000 * median(ours):.0f} ms | {1000 * median(others):.0f} ms | "
        f"+{median(more):.0f} ms | {min(more):+.0f}..{max(more):+.0f} ms | ≤ 15 ms |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=25)
    main(parser.parse_args().pairs)

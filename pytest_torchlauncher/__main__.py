"""``python -m pytest_torchlauncher``: what is done beside pytest's runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main"]

_COMMANDS = {
    "import": ("migration.command", "rewrite a config of the Accuracy Checker into launcher files"),
    "history": ("history.command", "print the values of earlier runs as CSV or JSON"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name, those of the process by default, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pytest_torchlauncher", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, text) in _COMMANDS.items():
        command = import_module(f".{module}", __package__)
        command.add_arguments(commands.add_parser(name, help=text, description=text, allow_abbrev=False))
    given = parser.parse_args(arguments)
    code: int = import_module(f".{_COMMANDS[given.command][0]}", __package__).run(given)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m gradtx race`, `optimizers`, `describe` and `plot`."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from gradtx import catalogue
from gradtx.race import cli as race


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
      arguments: the words after `python -m gradtx`; if None, the arguments of this process.

    Returns:
      The exit code of the command.

    Raises:
      SystemExit: with code 2 if the arguments are invalid, or with code 0 after `--help`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m gradtx", description="Race, list and describe the optimizers of gradtx, and draw its schedules."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    race.add_command(commands)
    catalogue.add_command(commands)
    # Not `from gradtx import`: the functions of these names hide their modules.
    for name in ("describe", "plot"):
        importlib.import_module(f"gradtx.{name}").add_command(commands)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())

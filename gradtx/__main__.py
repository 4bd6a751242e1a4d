"""The command line: `python -m gradtx race` and `python -m gradtx optimizers`."""

import argparse
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
    parser = argparse.ArgumentParser(prog="python -m gradtx", description="Race or list the optimizers of gradtx.")
    commands = parser.add_subparsers(required=True, metavar="command")
    race.add_command(commands)
    catalogue.add_command(commands)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())

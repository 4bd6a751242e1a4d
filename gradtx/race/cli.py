"""The `race` command: parse the options, run the race and write the files."""

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

from gradtx.race import contestants

DESCRIPTION = """\
Train a network on handwritten digits with each chosen optimizer, at every learning rate of a grid and with several
seeds. Compare the optimizers in a table and in plots, and save all curves as JSON."""

# Convolutions are much slower on a CPU, so fewer epochs keep a race at about two minutes.
EPOCHS = {"mlp": 40, "cnn": 8}

# The number of training images in `data.digits`, which cannot be imported before scikit-learn is installed.
TRAIN_SIZE = 1437


def add_command(commands: Any) -> None:
    """Add the `race` command to a parser."""
    parser = commands.add_parser(
        "race",
        help="train a real network with many optimizers and compare them",
        description=f"{DESCRIPTION}\n\n{contestants.known()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = ",".join(contestants.DEFAULT)
    parser.add_argument(
        "--optimizers",
        nargs="+",
        type=_names,
        default=[contestants.DEFAULT],
        metavar="NAME",
        help=f"optimizers or groups to race; default: {default}",
    )
    parser.add_argument("--task", choices=sorted(EPOCHS), default="mlp", help="network to train; default: mlp")
    epochs = ", ".join(f"{number} for {task}" for task, number in EPOCHS.items())
    parser.add_argument("--epochs", type=_positive, help=f"number of epochs; default: {epochs}")
    parser.add_argument("--seeds", type=_positive, default=5, help="number of seeds; default: 5")
    parser.add_argument("--batch-size", type=_batch_size, default=64, help="images per step; default: 64")
    parser.add_argument("--out", type=Path, default=Path("race"), help="output folder; default: race")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the race, print the table and write the files.

    Returns:
      The exit code: 0 on success, 1 if a contestant failed or the race could not start, 130 if it was interrupted.
    """
    missing = [name for name in ("matplotlib", "sklearn", "tqdm") if importlib.util.find_spec(name) is None]
    if missing:
        print(f'The race needs {", ".join(missing)}: pip install "gradtx[race]"', file=sys.stderr)
        return 1
    from gradtx.race import report, running, table
    from gradtx.race.results import Failure, Result, Settings

    settings = Settings(options.task, options.epochs or EPOCHS[options.task], options.seeds, options.batch_size)
    names = tuple(dict.fromkeys(name for names in options.optimizers for name in names))
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"cannot write to {options.out}: {error}", file=sys.stderr)
        return 1

    results: list[Result | Failure] = []
    written: list[Path] = []
    code = 0
    try:
        for result in running.race(settings, names):
            results.append(result)
            written = report.write_numbers(options.out, settings, results)
            code = max(code, isinstance(result, Failure))
    except KeyboardInterrupt:
        print("interrupted; the results so far are kept", file=sys.stderr)
        code = 130
    written += report.draw(options.out, results)

    print(f"\n{table.text(results)}\nFiles written:")
    for path in written:
        print(f"  {path}")
    return code


def _names(text: str) -> tuple[str, ...]:
    try:
        return contestants.names(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _batch_size(text: str) -> int:
    number = _positive(text)
    if number > TRAIN_SIZE:
        raise argparse.ArgumentTypeError(f"{number} is more than the {TRAIN_SIZE} training images")
    return number


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number

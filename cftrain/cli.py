"""The command line: find the command, let Hydra compose, report errors in one line.

Nothing heavy is imported before a command needs it, so that help is instant.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import cftrain
from cftrain.errors import CftrainError, ConfigError
from cftrain.grid.launcher import launched, rank

USAGE = """\
usage: cftrain <command> [overrides]

Counterfactual training: classifiers whose explanations are plausible and actionable.

commands:
  train      train a model and its baseline, evaluate and compare them
  grid       train and evaluate a grid of runs, on all cores or under mpirun
  status     how far the grid in a folder is
  verify     train a sample of a grid's cells again and compare
  transfer   are counterfactuals valid under the models of other seeds?
  tables     tables, figures and a report of all results below a folder
  figure     draw an illustration: figure constraints, protection or boundary
  data       data list, data fetch NAME

Overrides follow Hydra: +experiment=mnist, data=moons, objective.ridge_weight=0.1, ...

  cftrain train --help                what can be chosen and every value
  cftrain train --cfg job             the composed configuration
  cftrain train +experiment=mnist     the main job
  eval "$(cftrain -sc install=bash)"  shell completion (bash; zsh and fish likewise)
  cftrain --version
"""

CONFIGURED = {
    "train": "run",
    "grid": "grid",
    "tables": "tables",
    "figure": "figure",
}
"""Commands that Hydra composes a configuration for, with that configuration's name."""

PLAIN = ("status", "verify", "transfer", "data")
"""Commands with words of their own."""

COMMANDS = (*CONFIGURED, *PLAIN)
PICTURES = {"constraints": "credit", "protection": "credit", "boundary": "moons"}
"""Pictures with the experiments that they show unless told otherwise."""
EXPLAIN = "--explain"

ARGUMENT_ERROR = 2
INTERRUPTED = 130

FULL_ERROR = "HYDRA_FULL_ERROR"


def entry() -> int:
    """The console script."""
    return main(sys.argv[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0, 1 for failed cells, 2 for what the user can
    mend, 130 for Ctrl-C.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["grid"]:
        return _guarded(lambda: _grid(arguments[1:]))
    if rank() > 0:  # of processes started together only one works and speaks
        return 0
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if arguments[0] == "--version":
        print(f"cftrain {cftrain.__version__}")
        return 0
    if arguments[0] in ("-sc", "--shell-completion"):
        return _complete(arguments)
    command, rest = arguments[0], arguments[1:]
    if command in PLAIN:
        return _guarded(lambda: _module(command).run(rest))
    if command not in CONFIGURED:
        print(
            f"cftrain: expected a command ({', '.join(COMMANDS)}), got {command!r}; "
            "see cftrain --help",
            file=sys.stderr,
        )
        return ARGUMENT_ERROR
    return _guarded(lambda: _hydra(command, _overrides(command, rest)))


def _grid(arguments: Sequence[str]) -> int:
    """On several ranks, the first one composes and hands out stacks to the others."""
    overrides = _overrides("grid", arguments)
    if launched().size == 1:
        _hydra("grid", overrides)
        return 0
    from cftrain.grid.processes import with_mpi_workers

    return with_mpi_workers(
        lambda executor: _guarded(lambda: _hydra("grid", overrides, executor))
    )


def _module(command: str) -> Any:
    return importlib.import_module(f"cftrain.commands.{command}")


def _overrides(command: str, arguments: Sequence[str]) -> list[str]:
    """What Hydra gets: a picture's name, --dry-run and --explain become overrides."""
    words = ["dry_run=true" if word == "--dry-run" else word for word in arguments]
    if command == "tables" and EXPLAIN in words:
        return _explained(words)
    if command != "figure":
        return words
    experiment = "credit"
    if words and words[0] in PICTURES:
        experiment = PICTURES[words[0]]
        words[0] = f"picture={words[0]}"
    if not any(word.startswith("+experiment=") for word in words):
        words = [f"+experiment={experiment}", "name=figures", *words]
    return words


def _explained(words: list[str]) -> list[str]:
    """`--explain main LS ip` as overrides. Raises ConfigError."""
    place = words.index(EXPLAIN)
    before, after = words[:place], words[place + 1 :]
    named = list(takewhile(lambda word: "=" not in word, after))
    if len(named) < 3:
        raise ConfigError(
            f"{EXPLAIN}: expected a table, a row and a column, as in {EXPLAIN} main LS "
            f"ip, got {' '.join(named) or 'nothing'}"
        )
    table, *entry = named
    quoted = ",".join(repr(word) for word in entry)
    return [*before, f"table={table}", f"explain=[{quoted}]", *after[len(named) :]]


def _hydra(command: str, arguments: Sequence[str], *context: object) -> None:
    """Hand the command's overrides to Hydra, which calls its task."""
    import hydra

    from cftrain.config.tree import folder

    failures: list[Exception] = []

    def task(config: object) -> None:
        from omegaconf import DictConfig

        assert isinstance(config, DictConfig)
        try:
            _module(command).run(config, *context)
        except Exception as error:  # Hydra would print a line of its own
            failures.append(error)

    program = hydra.main(
        config_path=str(folder()), config_name=CONFIGURED[command], version_base="1.3"
    )(task)
    try:
        with _environment([sys.argv[0], *arguments]):
            program()
    except ValueError as error:  # Hydra's own, of words that it cannot make sense of
        raise ConfigError(str(error)) from error
    if failures:
        raise failures[0]


@contextmanager
def _environment(arguments: list[str]) -> Iterator[None]:
    """What Hydra reads; with the variable it lets exceptions through as they are."""
    before = sys.argv, os.environ.get(FULL_ERROR)
    sys.argv, os.environ[FULL_ERROR] = arguments, "1"
    try:
        yield
    finally:
        sys.argv, variable = before
        if variable is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = variable


def _guarded(command: Callable[[], int | None]) -> int:
    """Run a command; errors that a user can mend become one message and exit code 2.

    Every rank may fail, but only the first one says so.
    """
    show_traceback = os.environ.get(FULL_ERROR) == "1"
    try:
        return command() or 0
    except KeyboardInterrupt:
        print("cftrain: interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else 1
    except Exception as error:
        message = _explanation(error)
        if message is None or show_traceback:
            raise
        if rank() == 0:
            print(f"cftrain: {message}", file=sys.stderr)
        return ARGUMENT_ERROR


def _explanation(error: Exception) -> str | None:
    """What to tell the user; None for errors that are ours."""
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, ConfigError) and len(error.mistakes) > 1:
        listed = "\n".join(f"  {mistake}" for mistake in error.mistakes)
        return f"{len(error.mistakes)} mistakes in the configuration:\n{listed}"
    if isinstance(error, CftrainError):
        return str(error)
    if isinstance(error, MissingConfigException) and error.options:
        return _unknown_option(str(error.missing_cfg_file), error.options)
    if isinstance(error, HydraException | OmegaConfBaseException):
        causes = [error, error.__cause__]
        return "\n  ".join(str(cause).strip() for cause in causes if cause is not None)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


def _unknown_option(option: str, known: Sequence[str]) -> str:
    """For `table/mian`: what there is of the group, and what may be meant."""
    close = difflib.get_close_matches(option.rpartition("/")[2], known)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{option}: expected one of {', '.join(known)}{meant}, got no such file"


def _complete(arguments: Sequence[str]) -> int:
    """Shell completion by Hydra, which knows no commands: complete those here."""
    words = os.environ.get("COMP_LINE", "").split(" ")
    command = "train"
    if "query" in arguments[-1]:
        if len(words) <= 2:
            print(" ".join(COMMANDS))
            return 0
        if words[1] not in CONFIGURED:
            return 0
        command = words[1]
        os.environ["COMP_LINE"] = " ".join([words[0], *words[2:]])
    return _guarded(lambda: _hydra(command, arguments))

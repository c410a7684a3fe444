"""The command line: find the command, let Hydra compose, report errors in one line.

Nothing heavy is imported before a command needs it, so that help is instant.
"""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import cftrain
from cftrain.commands.lines import overrides
from cftrain.grid.launcher import launched, rank

USAGE = """\
usage: cftrain <command> [FOLDER] [key=value ...]

Counterfactual training: classifiers whose explanations are plausible and actionable.

commands:
  train      train a model and its baseline, evaluate and compare them
  grid       train and evaluate a grid of runs, on all cores or under mpirun
  evaluate   evaluate the models of a folder by another protocol
  status     how far the grid in a folder is
  verify     train a sample of a folder's models again and compare
  transfer   are counterfactuals valid under the models of other seeds?
  tables     tables, figures and a report of all results below a folder
  figure     draw an illustration: figure constraints, protection or boundary
  data       data list, data fetch NAME

What is trained is told by Hydra's overrides: experiment=mnist, data=moons,
objective.ridge_weight=0.1, ... Commands on finished results take their folder first:
evaluate, status, verify, transfer and tables FOLDER.

  cftrain train --help                what can be chosen and every value
  cftrain train --cfg job             the composed configuration
  cftrain train experiment=mnist      the main job
  cftrain verify FOLDER sample=5      options of a command; --help shows them
  eval "$(cftrain -sc install=bash)"  shell completion (bash; zsh and fish likewise)
  cftrain --version
"""

CONFIGURED = {
    "train": "run",
    "grid": "grid",
    "evaluate": "evaluate",
    "tables": "tables",
    "figure": "figure",
}
"""Commands that Hydra composes a configuration for, with that configuration's name."""

PLAIN = ("status", "verify", "transfer", "data")
"""Commands with words of their own."""

ON_RANKS = ("grid", "evaluate")
"""Commands whose work is shared by processes that mpirun or srun has started."""

COMMANDS = (*CONFIGURED, *PLAIN)

OWN_ERROR = 1
ARGUMENT_ERROR = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

FULL_ERROR = "HYDRA_FULL_ERROR"


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: everything is left in good order."""


def entry() -> int:
    """The console script."""
    return main(sys.argv[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0, 1 for failed cells and errors of our own, 2 for
    what the user can mend, 130 for Ctrl-C, 143 for SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] and arguments[0] in ON_RANKS:
        return _guarded(lambda: _on_ranks(arguments[0], arguments[1:]))
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
    return _guarded(lambda: _hydra(command, overrides(command, rest)))


def _on_ranks(command: str, arguments: Sequence[str]) -> int:
    """On several ranks, the first one composes and hands out stacks to the others."""
    words = overrides(command, arguments)
    if launched().size == 1:
        _hydra(command, words)
        return 0
    from cftrain.grid.processes import with_mpi_workers

    return with_mpi_workers(
        lambda executor: _guarded(lambda: _hydra(command, words, executor))
    )


def _module(command: str) -> Any:
    return importlib.import_module(f"cftrain.commands.{command}")


def _hydra(command: str, arguments: Sequence[str], *context: object) -> None:
    """Hand the command's overrides to Hydra, which calls its task."""
    from cftrain.commands.composing import composed

    composed(
        CONFIGURED[command],
        arguments,
        lambda config: _module(command).run(config, *context),
    )


def _guarded(command: Callable[[], int | None]) -> int:
    """Run a command; errors that a user can mend become one message and exit code 2.

    Every rank may fail, but only the first one says so.
    """
    show_traceback = os.environ.get(FULL_ERROR) == "1"
    try:
        with _signals():
            return command() or 0
    except (KeyboardInterrupt, Terminated) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        what = "interrupted" if interrupted else "ended by SIGTERM"
        _say(f"{what}; what is finished is kept, run the same command again to go on")
        return INTERRUPTED if interrupted else TERMINATED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else 1
    except Exception as error:
        if show_traceback:
            raise
        from cftrain.commands.mistakes import explanation, logged

        message = explanation(error)
        _say(logged(error) if message is None else message)
        return OWN_ERROR if message is None else ARGUMENT_ERROR


def _say(message: str) -> None:
    if rank() == 0:
        print(f"cftrain: {message}", file=sys.stderr)


@contextmanager
def _signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise, once: whoever is impatient disturbs no tidying."""
    usual = (signal.default_int_handler, signal.SIG_DFL)
    here = threading.current_thread() is threading.main_thread()
    # Left alone are signals that someone ignores or answers already, as in nohup.
    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if here and (handler := signal.getsignal(number)) in usual
    }

    def answer(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    for number in before:
        signal.signal(number, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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

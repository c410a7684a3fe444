"""The command line: find the command, let Hydra compose, report errors in one line.

Nothing heavy is imported before a command needs it, so that help is instant.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import cftrain
from cftrain.commands.command_line.console import console, usable_streams
from cftrain.commands.command_line.lines import overrides
from cftrain.commands.command_line.signals import (
    Terminated,
    code_of,
    signals,
    told,
)
from cftrain.config.plugins import plugins_named, without_plugins
from cftrain.errors import CftrainError
from cftrain.grid.launcher import launched, rank

USAGE = """\
usage: cftrain <command> [FOLDER] [key=value ...]

Counterfactual training: classifiers whose explanations are plausible and actionable.

commands:
  train      train a model and its baseline, evaluate and compare them
  grid       train and evaluate a grid of runs, on all cores or under mpirun
  evaluate   evaluate the models of a folder by another protocol
  explain    what would have to change for another decision, in raw units
  export     take a model along: one folder that explains without the data
  show       print the results of a finished run, sweep or grid again
  status     how far the grid in a folder is
  best       which setting of a grid is best, on validation rows
  verify     train a sample of a folder's models again and compare
  transfer   are counterfactuals valid under the models of other seeds?
  tables     tables, figures and a report of all results below a folder
  figure     draw an illustration: figure constraints, protection or boundary
  data       data list, data fetch NAME, data describe FILE

What is trained is told by Hydra's overrides: experiment=mnist, data=moons,
objective.ridge_weight=0.1, ... Commands on finished results take their folder first:
evaluate, explain, export, show, status, best, verify, transfer and tables FOLDER.

  cftrain train --help                what can be chosen and every value
  cftrain train --cfg job             the composed configuration
  cftrain train experiment=mnist      the main job
  cftrain verify FOLDER sample=5      options of a command; --help shows them
  cftrain train --plugins my_package  with what an installed package brings
  eval "$(cftrain -sc install=bash)"  shell completion (bash; zsh and fish likewise)
  cftrain --version
"""

CONFIGURED = {
    "train": "run",
    "grid": "grid",
    "evaluate": "evaluate",
    "explain": "explain",
    "tables": "tables",
    "figure": "figure",
}
"""Commands that Hydra composes a configuration for, with that configuration's name."""

PLAIN = ("export", "show", "status", "best", "verify", "transfer", "data")
"""Commands with words of their own."""

ON_RANKS = ("grid", "evaluate")
"""Commands whose work is shared by processes that mpirun or srun has started."""

COMMANDS = (*CONFIGURED, *PLAIN)

OWN_ERROR = 1
ARGUMENT_ERROR = 2

FULL_ERROR = "HYDRA_FULL_ERROR"


def entry() -> int:
    """The console script: what it says is said on whatever streams there are."""
    usable_streams()
    return main(sys.argv[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0, 1 for failed cells and errors of our own, 2 for
    what the user can mend, 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
    """
    words, named = without_plugins(sys.argv[1:] if arguments is None else arguments)
    with console(), ExitStack() as stack:
        if named:
            used = plugins_named(named)
            if code := _guarded(lambda: stack.enter_context(used)):
                return code
        return _main(words)


def _main(arguments: list[str]) -> int:
    """The same of these words, with the plug-ins in use that were named."""
    if rank() > 0 and arguments[:1] and arguments[0] in COMMANDS:
        try:
            launched()
        except CftrainError as error:  # told by this one: there may be no first
            print(f"cftrain: {error}", file=sys.stderr)
            return ARGUMENT_ERROR
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
    from cftrain.commands.command_line.composing import composed

    swept = composed(
        CONFIGURED[command],
        arguments,
        lambda config: _module(command).run(config, *context),
    )
    if swept and command == "train":
        _module("show").show_sweep(swept)


def _guarded(command: Callable[[], int | None]) -> int:
    """Run a command; errors that a user can mend become one message and exit code 2.

    Every rank may fail, but only the first one says so.
    """
    show_traceback = os.environ.get(FULL_ERROR) == "1"
    received: list[BaseException] = []
    try:
        with signals(received):
            code = command() or 0
            sys.stdout.flush()  # here its errors are told, at the end they are not
            return code
    except (KeyboardInterrupt, Terminated) as error:
        return _ended(error)
    except BrokenPipeError:  # the reader of our output has seen enough
        _silence_stdout()
        return 0
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else 1
    except Exception as error:
        if received:  # and what it interrupted has made another error of it
            return _ended(received[0])
        if show_traceback:
            raise
        from cftrain.commands.command_line.mistakes import explanation, logged

        message = explanation(error)
        _say(logged(error) if message is None else message)
        try:
            sys.stdout.flush()
        except (OSError, ValueError):  # it is full, which was the error or is the next
            _silence_stdout()
        return OWN_ERROR if message is None else ARGUMENT_ERROR


def _ended(by: BaseException) -> int:
    _say(f"{told(by)}; what is finished is kept, run the same command again to go on")
    return code_of(by)


def _silence_stdout() -> None:
    """Let nothing fail that Python writes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> None:
    if rank() == 0:
        with suppress(OSError):  # there is nobody left to tell
            print(f"cftrain: {message}", file=sys.stderr, flush=True)


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

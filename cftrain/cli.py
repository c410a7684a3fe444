"""The command line: find the command, let Hydra compose, report errors in one line.

Nothing heavy is imported before a command needs it, so that help is instant.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence

import cftrain
from cftrain.errors import CftrainError, ConfigError

USAGE = """\
usage: cftrain <command> [overrides]

Counterfactual training: classifiers whose explanations are plausible and actionable.

commands:
  train      train a model and its baseline, evaluate and compare them
  figure     draw an illustration: figure constraints, figure protection
  data       data list, data fetch NAME

Overrides follow Hydra: +experiment=mnist, data=moons, objective.ridge_weight=0.1, ...

  cftrain train --help                what can be chosen and every value
  cftrain train --cfg job             the composed configuration
  cftrain train +experiment=mnist     the main job
  eval "$(cftrain -sc install=bash)"  shell completion (bash; zsh and fish likewise)
  cftrain --version
"""

CONFIGURED = {"train": "run", "figure": "figure"}
"""Commands that Hydra composes a configuration for, with that configuration's name."""

COMMANDS = (*CONFIGURED, "data")
PICTURES = ("constraints", "protection")

ARGUMENT_ERROR = 2
INTERRUPTED = 130

RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
"""Where MPI launchers tell a process its rank before MPI itself has started."""


def entry() -> int:
    """The console script."""
    return main(sys.argv[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0, 2 for what the user can mend, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if arguments[0] == "--version":
        print(f"cftrain {cftrain.__version__}")
        return 0
    if rank() > 0:
        return 0
    if arguments[0] in ("-sc", "--shell-completion"):
        return _complete(arguments)
    if arguments[0] not in COMMANDS:
        print(
            f"cftrain: expected a command ({', '.join(COMMANDS)}), got "
            f"{arguments[0]!r}; see cftrain --help",
            file=sys.stderr,
        )
        return ARGUMENT_ERROR
    command, rest = arguments[0], arguments[1:]
    if command == "data":
        return _guarded(lambda: _data(rest))
    if command == "figure":
        rest = _figure_overrides(rest)
    return _guarded(lambda: _hydra(command, rest))


def rank() -> int:
    """Rank among processes started together; only rank 0 of `train` works."""
    for variable in RANK_VARIABLES:
        if variable in os.environ:
            return int(os.environ[variable])
    return 0


def _data(arguments: Sequence[str]) -> None:
    from cftrain.commands import data

    data.run(arguments)


def _figure_overrides(arguments: list[str]) -> list[str]:
    """The picture's name as an override, and the experiment it is drawn from."""
    overrides = arguments
    if arguments and arguments[0] in PICTURES:
        overrides = [f"picture={arguments[0]}", *arguments[1:]]
    if not any(word.startswith("+experiment=") for word in overrides):
        overrides = ["+experiment=credit", "name=figures", *overrides]
    return overrides


def _hydra(command: str, arguments: Sequence[str]) -> None:
    """Hand the command's overrides to Hydra, which calls its task."""
    import hydra

    from cftrain.config import folder

    failures: list[Exception] = []

    def task(config: object) -> None:
        from omegaconf import DictConfig

        assert isinstance(config, DictConfig)
        try:
            importlib.import_module(f"cftrain.commands.{command}").run(config)
        except Exception as error:  # Hydra would print a line of its own
            failures.append(error)

    sys.argv = [sys.argv[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach _guarded as they are
    hydra.main(
        config_path=str(folder()), config_name=CONFIGURED[command], version_base="1.3"
    )(task)()
    if failures:
        raise failures[0]


def _guarded(command: Callable[[], None]) -> int:
    """Run a command; errors that a user can mend become one message and exit code 2."""
    show_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        command()
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
        print(f"cftrain: {message}", file=sys.stderr)
        return ARGUMENT_ERROR
    return 0


def _explanation(error: Exception) -> str | None:
    """What to tell the user; None for errors that are ours."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, ConfigError) and len(error.mistakes) > 1:
        listed = "\n".join(f"  {mistake}" for mistake in error.mistakes)
        return f"{len(error.mistakes)} mistakes in the configuration:\n{listed}"
    if isinstance(error, CftrainError):
        return str(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        causes = [error, error.__cause__]
        return "\n  ".join(str(cause).strip() for cause in causes if cause is not None)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


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

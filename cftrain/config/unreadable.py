"""What Hydra cannot read: files that are no YAML, told by their names and lines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cftrain.errors import ConfigError

WANTED = "expected a YAML file of configuration"
BROKEN = (yaml.YAMLError, RecursionError, UnicodeDecodeError)
"""What reading such a file raises, besides errors that are the user's by their kind."""


def check_folder(directory: Path) -> None:
    """Raises ConfigError unless a folder of configuration is there and can be read."""
    expected = (
        f"--config-dir: expected a folder of configuration, got {str(directory)!r}"
    )
    if not directory.is_dir():
        what = "a file" if directory.exists() else "none"
        raise ConfigError(f"{expected}, which is {what}")
    try:
        next(directory.iterdir(), None)
    except OSError as error:
        raise ConfigError(f"{expected}: {error.strerror}") from error


@contextmanager
def named_files(directories: Sequence[Path]) -> Iterator[None]:
    """While Hydra composes: turns what it says of an unreadable file into ConfigError.

    Not all of its errors name the file, so those of the directories are read again.
    """
    try:
        yield
    except BROKEN as error:
        raise ConfigError(_told(error, directories)) from error


def _told(error: Exception, directories: Sequence[Path]) -> str:
    found = (path for each in directories for path in each.rglob("*.yaml"))
    for path in sorted(filter(Path.is_file, found)):  # no pipe is waited for
        try:
            OmegaConf.load(path)
        except BROKEN as problem:
            return f"{path}: {WANTED}, got {_problem(problem)}"
        except (OSError, OmegaConfBaseException):
            continue  # another kind of mistake than this one
    return f"{WANTED}, got {_problem(error)}"


def _problem(error: Exception) -> str:
    """What is wrong, in one line, and where."""
    if isinstance(error, UnicodeDecodeError):
        return f"bytes that are not UTF-8 ({error.reason} at byte {error.start})"
    if isinstance(error, RecursionError):
        return "values or options that hold one another, or too many within each other"
    mark = getattr(error, "problem_mark", None)
    parts = [getattr(error, name, None) for name in ("context", "problem")]
    problem = " ".join(filter(None, parts)) or str(error).splitlines()[0]
    return f"{problem}{f' in line {mark.line + 1}' if mark else ''}"

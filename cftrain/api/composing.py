"""A configuration that is composed of the words of a command, from within Python."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import TypeVar

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from cftrain.commands.command_line.composing import Finishing, composed
from cftrain.commands.command_line.lines import extra_folders, overrides
from cftrain.commands.command_line.mistakes import explanation
from cftrain.config.plugins import plugins_named, without_plugins
from cftrain.errors import ArgumentError, ConfigError

T = TypeVar("T")

_HYDRA = RLock()
"""Hydra reads the words of a program from the process and keeps what it composed."""

NOWHERE = "hydra.run.dir=."
"""For tasks that leave nothing on disk."""


def checked(overrides: Sequence[str]) -> tuple[str, ...]:
    """Returns overrides as they are. Raises ArgumentError for what is no list of texts,
    such as a single one.
    """
    if isinstance(overrides, str) or not all(isinstance(w, str) for w in overrides):
        raise ArgumentError(
            f'overrides: expected a list of texts such as ["seed=3"], got {overrides!r}'
        )
    return tuple(overrides)


def with_configuration(
    root: str,
    words: Sequence[str],
    task: Callable[[DictConfig], T],
    finished: Finishing | None = None,
) -> T:
    """Returns what a task makes of the configuration that `cftrain train` (or another
    command, by the name of its root) composes of its words, `finished` in another way
    than the command does if that is said. Among the words, `--plugins=my_package` puts
    a package in use.

    Raises ConfigError for words that mean nothing, and whatever the task raises.
    """
    words, named = without_plugins(words)
    _, others = extra_folders(words)
    if options := [word for word in others if word.startswith("-")]:
        raise ConfigError(f"overrides: expected key=value, got {options[0]!r}")
    found: list[T] = []
    command = {"run": "train"}.get(root, root)
    with _HYDRA, _own_hydra(), plugins_named(named):
        try:
            composed(
                root,
                overrides(command, words),
                lambda config: found.append(task(config)),
                finished,
            )
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(explanation(error) or str(error)) from error
    return found[0]


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Lets callers be a Hydra program of their own: what it keeps is put back."""
    hydra, configuration = GlobalHydra.instance(), HydraConfig.instance()
    before = hydra.hydra, configuration.cfg
    hydra.hydra, configuration.cfg = None, None
    try:
        yield
    finally:
        hydra.hydra, configuration.cfg = before

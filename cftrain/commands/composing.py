"""Hydra composes a configuration and calls a task with it."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cftrain.commands.lines import extra_folders
from cftrain.commands.mistakes import unknown_key
from cftrain.config.overrides import replacing_overrides
from cftrain.config.tree import folder, groups, refuse_shadowing
from cftrain.errors import ConfigError

FULL_ERROR = "HYDRA_FULL_ERROR"


def composed(
    root: str, arguments: Sequence[str], task: Callable[[DictConfig], None]
) -> None:
    """Call the task with what Hydra composes from a root configuration and overrides,
    or as often as a sweep asks for; then raise the first of its errors.

    Raises ConfigError for overrides that Hydra cannot make sense of.
    """
    failures: list[Exception] = []

    def attempted(config: DictConfig) -> None:
        try:
            task(config)
        except Exception as error:  # Hydra would print a line of its own
            failures.append(error)

    arguments = replacing_overrides(arguments)
    for directory in extra_folders(arguments)[0]:
        refuse_shadowing(directory)
    program = hydra.main(
        config_path=str(folder()), config_name=root, version_base="1.3"
    )(attempted)
    try:
        with _environment([sys.argv[0], *arguments]):
            program()
    except ConfigCompositionException as error:
        key = unknown_key(error)
        if key is None:
            raise
        raise ConfigError(key.message(_keys(root, arguments, key.name))) from error
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


def _keys(root: str, arguments: Sequence[str], unknown: str) -> list[str]:
    """Every key and group of the configuration that was meant, as far as known."""
    overrides = [
        word
        for word in arguments
        if "=" in word and word[0] != "-" and word.lstrip("+~").split("=")[0] != unknown
    ]
    for attempt in (overrides, []):
        GlobalHydra.instance().clear()
        try:
            with hydra.initialize_config_dir(str(folder()), version_base="1.3"):
                config = hydra.compose(root, attempt)
        except (HydraException, OmegaConfBaseException, OSError):
            continue
        return sorted({*_leaves(OmegaConf.to_container(config), ""), *groups()})
    return []


def _leaves(values: object, prefix: str) -> Iterator[str]:
    if not isinstance(values, dict):
        return
    for name, value in values.items():
        if not str(name).startswith("_"):
            yield f"{prefix}{name}"
            yield from _leaves(value, f"{prefix}{name}.")

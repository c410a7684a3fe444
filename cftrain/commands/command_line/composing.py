"""Hydra composes a configuration and calls a task with it."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cftrain.commands.command_line.lines import extra_folders
from cftrain.commands.command_line.mistakes import null_group, unknown_key
from cftrain.config.overrides import options_first, replacing_overrides
from cftrain.config.tree import folder, groups, refuse_shadowing
from cftrain.config.trust import (
    outside_files_checked,
    refuse_pickles,
    without_trust,
)
from cftrain.config.unreadable import check_folder, named_files
from cftrain.errors import CftrainError, ConfigError

FULL_ERROR = "HYDRA_FULL_ERROR"


Finishing = Callable[[DictConfig], DictConfig]
"""What is done with each configuration before anybody sees it."""


def composed(
    root: str,
    arguments: Sequence[str],
    task: Callable[[DictConfig], object],
    finished: Finishing | None = None,
) -> list[Path]:
    """Call the task with what Hydra composes from a root configuration and overrides,
    or as often as a sweep asks for; then raise the first of its errors. What the task
    returns is what a sweep goes by.

    A configuration is `finished` by a declaration in the place of a table to be guessed
    at, unless something else is to be done with it.

    Returns the folders that a sweep wrote to, none where there was no sweep. Raises
    ConfigError for overrides that Hydra cannot make sense of.
    """
    failures: list[Exception | SystemExit] = []
    swept: list[Path] = []

    def attempted(config: DictConfig) -> object:
        current = HydraConfig.get()
        if current.mode == RunMode.MULTIRUN:
            swept.append(Path(current.runtime.output_dir))
        try:
            return task(config)
        # Hydra would print a line of its own, and a sweep end with its first failure.
        except (Exception, SystemExit) as error:
            failures.append(error)
            return None

    try:
        _program(root, arguments, attempted, finished or _declared)
    except Exception:
        if not failures:  # else a sweeper says that it was told nothing
            raise
    if failures:
        raise failures[0]
    return swept


def _program(
    root: str,
    arguments: Sequence[str],
    task: Callable[[DictConfig], object],
    finished: Finishing,
) -> None:
    """Let Hydra call the task. Raises ConfigError."""
    arguments, trusted = _understood(arguments)
    extra = _checked_folders(arguments)
    program = hydra.main(
        config_path=str(folder()), config_name=root, version_base="1.3"
    )(task)
    try:
        with (
            _environment([sys.argv[0], *arguments]),
            named_files(extra),
            outside_files_checked(trusted, finished),
        ):
            program()
    except ConfigCompositionException as error:
        key = unknown_key(error)
        if key is None:
            raise
        raise ConfigError(key.message(_keys(root, arguments, key.name))) from error
    except CftrainError:
        raise
    except ValueError as error:  # Hydra's own, of words that it cannot make sense of
        told = null_group(error, arguments, groups())
        raise ConfigError(
            told or f"expected words that Hydra can make sense of, got: {error}"
        ) from error


def _understood(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Words in the order that Hydra wants, and whether files are trusted. Raises
    ConfigError.
    """
    words, trusted = without_trust(arguments)
    words = replacing_overrides(options_first(words))
    refuse_pickles(words)
    return words, trusted


def _checked_folders(arguments: Sequence[str]) -> list[Path]:
    """The folders that `--config-dir` adds. Raises ConfigError for bad ones."""
    extra = extra_folders(arguments)[0]
    for directory in extra:
        check_folder(directory)
    refuse_shadowing(extra)
    return extra


def _declared(config: DictConfig) -> DictConfig:
    """The configuration with a declaration where files were to be looked at."""
    target = OmegaConf.select(config, "data._target_")
    if target is None or not str(target).endswith((".Table", ".Images")):
        return config
    # Imported here, since other commands need neither the data nor torch.
    from cftrain.commands.command_line.own_data import declared

    return declared(config)


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

"""Hydra composes once for a command, not twice, and reads an option once."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig

MODES = ("hydra.mode=RUN", "hydra.mode=MULTIRUN")
"""What Hydra itself adds to the words when it has looked for the mode."""

MISSING = "You must specify"
"""How Hydra's message about an option that nobody chose begins."""


class ComposedOnce(ConfigLoaderImpl):
    """Keeps what Hydra composes to look whether `hydra.mode` asks for a sweep.

    Directly after it Hydra composes the same again for the run or for the sweep, in a
    quarter of a second. The two are equal but for the mode that it adds, and for a
    missing option, which only a sweep may lack: with one nothing is kept.
    """

    _looked: "_Looked | None" = None

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """As Hydra's own."""
        looked, self._looked = self._looked, None
        if not validate_sweep_overrides and run_mode == RunMode.MULTIRUN:
            return self._look(config_name, overrides)
        if looked is None or not looked.holds(config_name, overrides):
            return super().load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
        parsed = OverridesParser.create().parse_overrides(overrides)
        self.validate_sweep_overrides_legal(parsed, run_mode, from_shell)
        return self._with_mode(looked.config, parsed[len(looked.overrides) :])

    def _look(self, config_name: str | None, overrides: Sequence[str]) -> DictConfig:
        """As for a run, which is as for a sweep unless an option is missing.

        Mistakes are left to the next composition: here Hydra does not listen.
        """
        words = (config_name, list(overrides))
        try:
            config = super().load_configuration(*words, RunMode.RUN, True, False)
        except ConfigCompositionException as error:
            if MISSING not in str(error):
                raise
            return super().load_configuration(*words, RunMode.MULTIRUN, True, False)
        self._looked = _Looked(config_name, list(overrides), config)
        return config

    def _with_mode(self, config: DictConfig, added: list[Override]) -> DictConfig:
        """The configuration with the mode, as an override of Hydra's."""
        self._apply_overrides_to_config(added, config)
        for override in added:
            config.hydra.overrides.hydra.append(override.input_line)
        return config


@dataclass(frozen=True)
class _Looked:
    """A configuration and the words that it was composed of."""

    name: str | None
    overrides: list[str]
    config: DictConfig

    def holds(self, name: str | None, overrides: Sequence[str]) -> bool:
        """Whether these are its words, with nothing but a mode at the end."""
        count = len(self.overrides)
        added = list(overrides[count:])
        same = (name, list(overrides[:count])) == (self.name, self.overrides)
        return same and (not added or (len(added) == 1 and added[0] in MODES))


class ReadOnce:
    """In the place of `load_config` of a source: a file that is as it was when it was
    read before, in this process, is not read again.
    """

    def __init__(self, source: ConfigSource) -> None:
        self._source = source

    def __call__(self, config_path: str) -> ConfigResult:
        """Returns a copy, since Hydra changes what it gets."""
        name = self._source._normalize_file_name(config_path)
        try:
            found = (Path(self._source.path) / name).stat()
        except OSError:  # Hydra says what is wrong with it
            return type(self._source).load_config(self._source, config_path)
        state = (found.st_ino, found.st_mtime_ns, found.st_size)
        kind, provider = type(self._source), self._source.provider
        return deepcopy(_read(kind, provider, self._source.path, config_path, state))


@lru_cache(maxsize=512)
def _read(
    kind: type[ConfigSource],
    provider: str,
    folder: str,
    config_path: str,
    state: tuple[int, ...],
) -> ConfigResult:
    """Reads a file; `state` is another one when the file has been changed."""
    return kind(provider, folder).load_config(config_path)

"""Which configuration may tell Hydra itself what to do: not files from elsewhere.

Hydra imports and calls whatever its own node names (callbacks, handlers of logs,
launchers, sweepers), and writes where it says. The command line and installed packages
may set it; any other file may be one that somebody sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra._internal.hydra
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra._internal.utils import get_args_parser
from hydra.core.default_element import ResultDefault
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from cftrain.config.plugins import option_folders
from cftrain.config.tree import folder
from cftrain.errors import ConfigError

TRUST = "--trust-config"
MOST_NODES = 100_000
"""Values in one file, aliases counted as often as they are used."""

MOST_BYTES = 2**20
"""Of one file: a hundred times as long as the longest one of ours."""


def without_trust(words: Sequence[str]) -> tuple[list[str], bool]:
    """Returns the words without `--trust-config`, and whether it was among them."""
    others = [word for word in words if word != TRUST]
    return others, len(others) < len(words)


def refuse_pickles(words: Sequence[str]) -> None:
    """Raises ConfigError for the option of Hydra that is unsafe whatever is trusted.

    The words are such that Hydra can read them.
    """
    given = get_args_parser().parse_args(list(words))
    if given.experimental_rerun is not None:
        raise ConfigError(
            "--experimental-rerun: expected a run that is told by overrides, got a "
            "pickle, which may hold any program; overrides.yaml of a results folder "
            "has the overrides of its run"
        )


@contextmanager
def outside_files_checked(
    trusted: bool, finished: Callable[[DictConfig], DictConfig] = lambda config: config
) -> Iterator[None]:
    """While this lasts, files from elsewhere cannot set anything of Hydra's own.

    Every way of composing (a run, a sweep, help, completion) makes its loader here;
    `finished` is called with each configuration, and may change it.
    """
    module: Any = hydra._internal.hydra
    before = module.ConfigLoaderImpl
    kind = _NameChecked if trusted else _Checked
    module.ConfigLoaderImpl = type(
        kind.__name__, (kind,), {"finished": staticmethod(finished)}
    )
    try:
        yield
    finally:
        module.ConfigLoaderImpl = before


def is_folder_below(name: str) -> bool:
    """Whether a name is that of a folder below another one, however deep."""
    parts = name.split("/")
    return all(part not in ("", "..") and part.isprintable() for part in parts)


def below(name: object) -> str:
    """Returns the name of a folder of results, whatever kind of value it is. Raises
    ConfigError for one that leads out of `outputs`.
    """
    if not is_folder_below(str(name)):
        raise ConfigError(
            f"name: expected that of a folder below outputs, got {str(name)!r}; "
            "hydra.run.dir=... names any other folder"
        )
    return str(name)


# A name may come to something else by the time its folder is made.
OmegaConf.register_new_resolver("cftrain.below", below, replace=True)


class _NameChecked(ConfigLoaderImpl):
    """Composes nothing whose results would leave `outputs` or that fills the memory."""

    finished: Callable[[DictConfig], DictConfig]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _guard(self.repository.get_sources())

    def _process_config_searchpath(
        self,
        config_name: str | None,
        parsed_overrides: list[Override],
        repo: Any,
    ) -> None:
        super()._process_config_searchpath(config_name, parsed_overrides, repo)
        _guard(repo.get_sources())

    def load_configuration(self, *args: Any, **kwargs: Any) -> DictConfig:
        """As Hydra's own. Raises ConfigError."""
        config = super().load_configuration(*args, **kwargs)
        # Hydra makes the folder before a command sees the configuration.
        name = OmegaConf.select(config, "name", throw_on_resolution_failure=False)
        if isinstance(name, str):
            below(name)
        return self.finished(config)


class _Checked(_NameChecked):
    """Reads no file from elsewhere that reaches into Hydra's own configuration."""

    def _process_config_searchpath(
        self,
        config_name: str | None,
        parsed_overrides: list[Override],
        repo: Any,
    ) -> None:
        """The first file may name further folders and packages, before any is read."""
        primary = None if config_name is None else repo.load_config(config_name)
        if primary is not None:
            _refuse_hydra(primary, str(config_name))
        super()._process_config_searchpath(config_name, parsed_overrides, repo)

    def _load_single_config(
        self, default: ResultDefault, repo: IConfigRepository
    ) -> ConfigResult:
        """The file where it is put: `@package` and lists of defaults may move it."""
        name = str(default.config_path)
        found = repo.load_config(name)
        if found is not None and name.startswith("hydra/"):
            _refuse_hydra(found, name)  # before Hydra compares it with its own
        placed = super()._load_single_config(default, repo)
        _refuse_hydra(placed, name)
        return placed


def _refuse_hydra(found: ConfigResult, name: str) -> None:
    """Raises ConfigError if a file from elsewhere sets something of Hydra's own."""
    scheme, _, place = found.path.partition("://")
    config = found.config
    own = name.startswith("hydra/")
    if _is_trusted(scheme, place) or not (own or "hydra" in config):
        return
    inner = None if own else config._get_node("hydra")
    keys = inner.keys() if isinstance(inner, DictConfig) and inner else []
    listed = ", ".join(f"hydra.{key}" for key in map(str, keys)) or "hydra"
    raise ConfigError(
        f"{Path(place) / name}: expected nothing about Hydra itself in a file that is "
        f"not installed, got {listed}, which may run any program; give it on the "
        f"command line, or say {TRUST} if you wrote the file"
    )


def _is_trusted(scheme: str, place: str) -> bool:
    """Whether files come with a package. Packages are named by the command line, by
    installed plugins or, after `_refuse_hydra`, by cftrain's own files.
    """
    trees = (folder(), *option_folders())
    return scheme != "file" or Path(place).resolve() in [t.resolve() for t in trees]


def _guard(sources: Sequence[ConfigSource]) -> None:
    """Let files from elsewhere be looked at before they are unfolded."""
    for source in sources:
        if not _is_trusted(source.scheme(), source.path):
            source.load_config = _Guarded(source)  # type: ignore[method-assign]


class _Guarded:
    """Reads a file of a folder, unless it would fill the memory."""

    def __init__(self, source: ConfigSource) -> None:
        self._source = source

    def __call__(self, config_path: str) -> ConfigResult:
        path = Path(self._source.path) / self._source._normalize_file_name(config_path)
        if path.is_file():  # of pipes and devices Hydra says that they are no files
            refuse_unfolding(path)
        return type(self._source).load_config(self._source, config_path)


def refuse_unfolding(path: Path) -> None:
    """Raises ConfigError for a file whose aliases hold themselves or multiply, and for
    one that is too long.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(
            f"{path}: expected at most {MOST_BYTES} bytes, got {path.stat().st_size}"
        )
    text = path.read_bytes()
    if b"*" not in text or b"&" not in text:
        return
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        count = 0 if root is None else _unfolded(root, {})
    except yaml.YAMLError:
        return  # Hydra says what is wrong with it
    except RecursionError:
        count = MOST_NODES + 1
    if count > MOST_NODES:
        raise ConfigError(
            f"{path}: expected at most {MOST_NODES} values, got more, as its aliases "
            "hold one another"
        )


def _unfolded(node: Any, known: dict[int, float]) -> float:
    """How many values a node stands for; infinity if it holds itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        held = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            held = [part for pair in held for part in pair]
        known[id(node)] = 1 + sum(_unfolded(part, known) for part in held)
    return known[id(node)]

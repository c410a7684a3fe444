"""The tree of YAML files and what Hydra composes from it, as plain values."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from omegaconf import Container, DictConfig, OmegaConf

import cftrain
from cftrain.config.identity import digest
from cftrain.config.plugins import option_folders
from cftrain.config.searching import let_hydra_search
from cftrain.errors import ConfigError

INTERPOLATION = re.compile(r"(\\*)\$\{")

LONGEST = 120
"""Characters of a folder's name; file systems take 255 bytes."""


def folder() -> Path:
    """The configuration tree: inside the installed package, or beside it."""
    package = Path(cftrain.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def options(group: str, extra: Sequence[Path] = ()) -> list[str]:
    """Returns the names of a group's options: here, of plug-ins and in extra folders.

    Where Hydra runs, it knows what `--config-dir` adds.
    """
    hydra = GlobalHydra.instance()
    if hydra.is_initialized():
        return sorted(hydra.config_loader().get_group_options(group))
    roots = (folder(), *option_folders(), *extra)
    return sorted(path.stem for root in roots for path in (root / group).glob("*.yaml"))


def groups() -> set[str]:
    """Returns all groups by name, such as `generator` and the group `generator/space`
    in it; where Hydra runs, of `--config-dir` too.
    """
    hydra = GlobalHydra.instance()
    if hydra.is_initialized():
        return set(_groups_in(hydra.config_loader(), "")) - {"hydra"}
    return {
        path.relative_to(root).as_posix()
        for root in (folder(), *option_folders())
        for path in root.rglob("*")
        if path.is_dir()
    }


def _groups_in(loader: ConfigLoader, group: str) -> Iterator[str]:
    """The groups below one, whose name is empty for all but those of Hydra itself."""
    for name in loader.get_group_options(group, ObjectType.GROUP):
        whole = f"{group}/{name}" if group else name
        yield whole
        if whole != "hydra":
            yield from _groups_in(loader, whole)


def refuse_shadowing(extra: Sequence[Path] = ()) -> None:
    """Raises ConfigError if a file of a plug-in or of extra folders has the name of one
    of ours or of another plug-in: Hydra would read one of the two and not say which.
    """
    known = [folder()]
    taken = []
    for directory in (*option_folders(), *extra):
        taken += [
            f"{theirs}: expected a name that no packaged option has, got that of {ours}"
            for theirs in sorted(directory.rglob("*.yaml"))
            for ours in [root / theirs.relative_to(directory) for root in known]
            if ours.is_file()
        ]
        if directory not in extra:
            known.append(directory)
    if taken:
        raise ConfigError(taken)


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, interpolations resolved."""
    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in dict(container).items()}  # type: ignore[arg-type]


def literal(value: Any) -> Any:
    """Returns values in which OmegaConf interpolates nothing: texts come from files."""
    if isinstance(value, dict):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, str):
        return INTERPOLATION.sub(lambda found: 2 * found[1] + "\\${", value)
    return value


def subfolder(overrides: str) -> str:
    """Returns a folder's name for the overrides of one job of a sweep."""
    name = re.sub(r"[^\w.,=+@-]+", "-", overrides).strip("-.") or "default"
    if name == overrides and len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}-{digest(overrides)}"


def stem(path: str) -> str:
    """Returns a name for what comes from a file: its own, in plain signs."""
    return re.sub(r"[^\w.+-]+", "-", Path(str(path)).stem).strip("-.") or "table"


def ratio(factor: int, times: int, over: int, least: int, most: int) -> int:
    """Returns factor x times / over, a whole number between the least and the most."""
    return min(most, max(least, round(factor * times / over)))


def ridge(weight: float, *, _parent_: Container) -> float:
    """Returns the ridge's weight where an objective has what it bounds, a linear
    divergence, else 0: a weight that was tuned for the published objectives is theirs.
    """
    objective = OmegaConf.to_container(_parent_)
    assert isinstance(objective, dict)
    linear = objective.get("divergence") == "linear"
    return weight if linear and objective.get("divergence_weight") else 0.0


let_hydra_search()
OmegaConf.register_new_resolver("cftrain.ratio", ratio, replace=True)
OmegaConf.register_new_resolver("cftrain.stem", stem, replace=True)
OmegaConf.register_new_resolver("cftrain.subfolder", subfolder, replace=True)
OmegaConf.register_new_resolver("cftrain.ridge", ridge, replace=True)

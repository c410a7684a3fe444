"""The tree of YAML files and what Hydra composes from it, as plain values."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

import cftrain


def folder() -> Path:
    """The configuration tree: inside the installed package, or beside it."""
    package = Path(cftrain.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, interpolations resolved."""
    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in dict(container).items()}  # type: ignore[arg-type]

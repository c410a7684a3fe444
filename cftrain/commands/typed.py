"""What was typed, kept beside the results that it gave."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cftrain.results.writing import written_whole


def save_configuration(config: DictConfig, folder: Path) -> None:
    """Write the composed configuration and the overrides. Raises ResultError."""
    overrides = list(HydraConfig.get().overrides.task)
    with written_whole(folder / "config.yaml") as partial:
        OmegaConf.save(config, partial, resolve=True)
    with written_whole(folder / "overrides.yaml") as partial:
        OmegaConf.save(OmegaConf.create(overrides), partial)

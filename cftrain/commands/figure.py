"""`cftrain figure`: illustrations of what the method does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.config import read
from cftrain.errors import ConfigError
from cftrain.illustrations.constraints import panels
from cftrain.illustrations.protection import sensitivity
from cftrain.ranges import Count
from cftrain.run import Run, Settings
from cftrain.summary.panels import draw_panels
from cftrain.summary.shares import draw_shares, shares_table


@dataclass(frozen=True, kw_only=True)
class FigureSettings(Settings):
    """What is drawn besides the run."""

    picture: Literal["constraints", "protection"]
    feature: str
    factuals: Count
    seeds: Count


def run(config: DictConfig) -> None:
    """Train what the picture needs, draw it and print its numbers."""
    described, settings = read(config, FigureSettings)
    torch.set_num_threads(1)
    path = Path(HydraConfig.get().runtime.output_dir) / settings.picture
    names = described.data.load().feature_names
    if settings.feature not in names:
        raise ConfigError(
            f"feature: expected one of {', '.join(names[:10])}, "
            f"got {settings.feature!r}"
        )
    if settings.picture == "constraints":
        files = _constraints(described, settings, names, path)
    else:
        found = sensitivity(described, settings.feature, settings.seeds)
        print(shares_table(found))
        files = draw_shares(found, path)
    for file in files:
        print(f"picture: {file}")


def _constraints(
    run: Run, settings: FigureSettings, names: tuple[str, ...], path: Path
) -> list[Path]:
    if len(names) != 2 or settings.compare is None:
        raise ConfigError(
            "figure constraints: expected data with two features and an objective to "
            f"compare with, got {len(names)} features and compare={settings.compare}"
        )
    drawn = panels(run, settings.compare, settings.feature, settings.factuals)
    for panel in drawn:
        held = "nothing" if panel.protected is None else panel.protected
        print(
            f"{panel.model} training, {held} immutable: mean cost {panel.cost:.2f}, "
            f"mean distance to granted rows {panel.implausibility:.2f}, "
            f"{panel.valid.sum()} of {len(panel.valid)} valid"
        )
    return draw_panels(drawn, names, path)

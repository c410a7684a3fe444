"""`cftrain figure`: illustrations of what the method does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.commands.options import Options, read
from cftrain.config.ranges import Count
from cftrain.errors import ConfigError
from cftrain.illustrations.boundary import trained_paths
from cftrain.illustrations.constraints import panels
from cftrain.illustrations.path_figure import draw_paths
from cftrain.illustrations.protection import sensitivity
from cftrain.illustrations.recourse_panels import draw_panels
from cftrain.illustrations.sensitivity_figure import draw_shares, shares_table
from cftrain.objectives.objective import Objective
from cftrain.summary.naming import objective_name
from cftrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class FigureSettings(Options):
    """What is drawn besides the run."""

    picture: Literal["constraints", "protection", "boundary"]
    feature: str
    factuals: Count
    seeds: Count


def run(config: DictConfig) -> None:
    """Train what the picture needs, draw it and print its numbers."""
    described, settings = read(config, FigureSettings)
    torch.set_num_threads(1)
    path = Path(HydraConfig.get().runtime.output_dir) / settings.picture
    draw = {
        "constraints": _constraints,
        "protection": _protection,
        "boundary": _boundary,
    }[settings.picture]
    for file in draw(described, settings, path):
        print(f"picture: {file}")


def _constraints(run: Run, settings: FigureSettings, path: Path) -> list[Path]:
    names = _with_feature(run, settings)
    compared = _compared(run, settings)
    drawn = panels(run, compared, settings.feature, settings.factuals)
    for panel in drawn:
        held = "nothing" if panel.protected is None else panel.protected
        print(
            f"{panel.model} training, {held} immutable: mean cost {panel.cost:.2f}, "
            f"mean distance to granted rows {panel.implausibility:.2f}, "
            f"{panel.valid.sum()} of {len(panel.valid)} valid"
        )
    return draw_panels(drawn, names, path)


def _protection(run: Run, settings: FigureSettings, path: Path) -> list[Path]:
    _with_feature(run, settings)
    found = sensitivity(run, settings.feature, settings.seeds)
    print(shares_table(found))
    return draw_shares(found, path)


def _boundary(run: Run, settings: FigureSettings, path: Path) -> list[Path]:
    drawn = trained_paths(run, _compared(run, settings), settings.factuals)
    for model in drawn:
        steps = [len(way) - 1 for way in model.ways]
        print(
            f"{objective_name(model.objective)}: {sum(steps) / len(steps):.1f} steps "
            f"on average, {model.mature.sum()} of {len(model.mature)} mature"
        )
    return draw_paths(drawn, run.data.load().feature_names, path)


def _with_feature(run: Run, settings: FigureSettings) -> tuple[str, ...]:
    """The names of the features. Raises ConfigError if the chosen one is not there."""
    names = run.data.load().feature_names
    if settings.feature not in names:
        raise ConfigError(
            f"feature: expected one of {', '.join(names[:10])}, "
            f"got {settings.feature!r}"
        )
    return names


def _compared(run: Run, settings: FigureSettings) -> Objective:
    """What is drawn beside the run. Raises ConfigError if a map cannot show them."""
    data = run.data.load()
    if (data.feature_count, data.classes) != (2, 2) or settings.compare is None:
        raise ConfigError(
            f"figure {settings.picture}: expected data with two features and two "
            f"classes, and an objective to compare with, got {data.feature_count} "
            f"features, {data.classes} classes and compare={settings.compare}"
        )
    return settings.compare

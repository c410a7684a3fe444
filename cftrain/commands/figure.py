"""`cftrain figure`: illustrations of what the method does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.commands.command_line.options import Options, read, refuse_budget
from cftrain.config.ranges import Count
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.illustrations.boundary import trained_paths
from cftrain.illustrations.constraints import panels
from cftrain.illustrations.path_figure import draw_paths
from cftrain.illustrations.plane import protecting
from cftrain.illustrations.protection import sensitivity
from cftrain.illustrations.recourse_panels import draw_panels
from cftrain.illustrations.sensitivity_figure import draw_shares, shares_table
from cftrain.objectives.objective import Objective
from cftrain.summary.naming import objective_name
from cftrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class FigureOptions(Options):
    """What is drawn besides the run."""

    picture: Literal["constraints", "protection", "boundary"]
    feature: str
    factuals: Count
    way_generator: Generator
    way: GradientDescent
    seeds: Count


def run(config: DictConfig) -> None:
    """Train what the picture needs, draw it and print its numbers."""
    described, options = read(config, FigureOptions)
    refuse_budget(options)
    torch.set_num_threads(1)
    path = Path(HydraConfig.get().runtime.output_dir) / options.picture
    draw = {
        "constraints": _constraints,
        "protection": _protection,
        "boundary": _boundary,
    }[options.picture]
    for file in draw(described, described.data.load(), options, path):
        print(f"picture: {file}")


def _constraints(
    run: Run, dataset: Dataset, options: FigureOptions, path: Path
) -> list[Path]:
    protecting(dataset, options.feature)  # is there such a feature?
    drawn = panels(
        run,
        _compared(dataset, options),
        dataset,
        feature=options.feature,
        count=options.factuals,
    )
    for panel in drawn:
        held = "nothing" if panel.protected is None else panel.protected
        print(
            f"{panel.model} training, {held} immutable: mean cost {panel.cost:.2f}, "
            f"mean distance to granted rows {panel.implausibility:.2f}, "
            f"{panel.valid.sum()} of {len(panel.valid)} valid"
        )
    return draw_panels(drawn, dataset.feature_names, path)


def _protection(
    run: Run, dataset: Dataset, options: FigureOptions, path: Path
) -> list[Path]:
    if options.seeds < 2:
        raise ConfigError(
            f"seeds: expected at least 2, for intervals, got {options.seeds}"
        )
    found = sensitivity(run, dataset, feature=options.feature, seeds=options.seeds)
    print(shares_table(found))
    return draw_shares(found, path)


def _boundary(
    run: Run, dataset: Dataset, options: FigureOptions, path: Path
) -> list[Path]:
    compared = _compared(dataset, options)
    drawn = trained_paths(
        run,
        compared,
        dataset,
        options.factuals,
        generator=options.way_generator,
        descent=options.way,
    )
    for model in drawn:
        steps = [len(way) - 1 for way in model.ways]
        print(
            f"{objective_name(model.objective)}: {sum(steps) / len(steps):.1f} steps "
            f"on average, {model.mature.sum()} of {len(model.mature)} mature, "
            f"{model.stopped.sum()} at a bound of the domain"
        )
    return draw_paths(drawn, dataset.feature_names, path)


def _compared(dataset: Dataset, options: FigureOptions) -> Objective:
    """What is drawn beside the run. Raises ConfigError if a map cannot show them."""
    shape = (dataset.feature_count, dataset.classes)
    if shape != (2, 2) or options.compare is None:
        raise ConfigError(
            f"figure {options.picture}: expected data with two features and two "
            f"classes, and an objective to compare with, got {dataset.feature_count} "
            f"features, {dataset.classes} classes and compare={options.compare}"
        )
    return options.compare

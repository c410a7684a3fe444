"""What a sweep optimises: `optimized_metric=ip`, measured on validation rows."""

import math
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from cftrain.budget.choosing import check_names, directions, on_validation_rows
from cftrain.commands.command_line.options import Options
from cftrain.errors import ConfigError
from cftrain.results.store import Store

INDIVIDUALS = 500
"""Validation rows that counterfactuals are searched for."""

DIRECTION = "hydra.sweeper.direction"


def check_optimized(options: Options) -> None:
    """Raises ConfigError for metrics that are not measured, and for a sweeper that
    would go the wrong way.
    """
    names = named(options)
    if names is None:
        return
    check_names(names, options.evaluation, "optimized_metric")
    ways = _ways(directions(options.evaluation, names))
    given = _direction()
    if given is not None and given != ways:
        listed = ",".join(ways)
        wanted = listed if len(ways) == 1 else f"[{listed}]"
        raise ConfigError(
            f"{DIRECTION}: expected {wanted} for optimized_metric={_listed(names)}, "
            f"got {_listed(given)}"
        )


def optimized(options: Options, store: Store, cell: str) -> float | list[float] | None:
    """Returns the values of a trained model that a sweeper is told: one for a name, a
    list for a list of names, None if nothing is optimised.

    What has no value, such as the implausibility of a model without any valid
    counterfactual, is told as the worst that there is: NaN ends a search of Optuna.
    """
    names = named(options)
    if names is None:
        return None
    rows = store.cells().set_index("cell").loc[[cell]]
    values = on_validation_rows(
        rows.assign(folder=str(store.folder)),
        options.evaluation,
        names,
        individuals=INDIVIDUALS,
    )[cell]
    told = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    print(f"on validation rows: {told}")
    better = directions(options.evaluation, names)
    found = [_known(values[name], higher=better[name]) for name in names]
    return found[0] if isinstance(options.optimized_metric, str) else found


def _known(value: float, *, higher: bool) -> float:
    if not math.isnan(value):
        return value
    return -math.inf if higher else math.inf


def named(options: Options) -> list[str] | None:
    """The metrics that are optimised; None if there is nothing to optimise."""
    wanted = options.optimized_metric
    if wanted is None:
        return None
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _ways(better: Mapping[str, bool]) -> list[str]:
    return ["maximize" if higher else "minimize" for higher in better.values()]


def _direction() -> list[str] | None:
    """What the sweeper was told, None if it is one that is told nothing of it."""
    if not HydraConfig.initialized():
        return None
    hydra: Any = HydraConfig.get()
    found: Any = OmegaConf.select(hydra, "sweeper.direction")
    if found is None:
        return None
    several = OmegaConf.is_list(found)
    return [getattr(way, "name", str(way)) for way in (found if several else [found])]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"[{','.join(names)}]"

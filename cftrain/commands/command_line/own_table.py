"""`data=table`: the guess becomes a declaration before a run is made of it."""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from cftrain.config.build import build_object
from cftrain.config.names import class_called
from cftrain.config.tree import literal
from cftrain.data.tables.guessing.declared import declaration
from cftrain.data.tables.guessing.guess import GuessedTable, guessed
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.guessing.told import told


def declared(
    config: DictConfig, tell: Callable[[GuessedTable], None] | None = None
) -> DictConfig:
    """Returns a composed configuration whose data set says everything.

    One without a table to guess at is returned as it is. What a table was taken for is
    told, on standard error and once, unless there is somebody else to `tell`. Raises
    DataError and ConfigError.
    """
    values = _table_values(config)
    if values is None:
        return config
    guess = guessed_table(values)
    with open_dict(config):
        config.data = literal(declaration(guess))
    if tell is None:
        _say(f"{told(guess)}\n{_settings(config)}")
    else:
        tell(guess)
    return config


def guessed_table(values: dict[str, Any]) -> GuessedTable:
    """Returns the guess at a table that is given by plain values."""
    return guessed(build_object(values, Table, "data"))


def _table_values(config: DictConfig) -> dict[str, Any] | None:
    """The values of a table to guess at; None for other data, or if some are missing,
    of which others will complain.
    """
    data = config.get("data")
    if not isinstance(data, DictConfig) or OmegaConf.is_missing(config, "data"):
        return None
    target = data.get("_target_")
    if not isinstance(target, str) or class_called(target) is not Table:
        return None
    if OmegaConf.missing_keys(data):
        return None
    try:
        values: Any = OmegaConf.to_container(data, resolve=True)
    except OmegaConfBaseException:
        return None
    return dict(values)


def _settings(config: DictConfig) -> str:
    """What is done with the rows, as far as it depends on how many there are."""
    schedule, evaluation = config.schedule, config.evaluation
    return (
        f"model {config.model.name}, {schedule.epochs} epochs in batches of "
        f"{schedule.batch_rows} rows with {schedule.counterfactuals} counterfactuals; "
        f"evaluated in {evaluation.rounds} rounds of {evaluation.individuals}\n"
        "each of these is a key: data.kinds, data.missing, schedule.epochs, ...; "
        "--cfg job shows them all"
    )


@cache
def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

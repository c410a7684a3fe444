"""`data=table`, `data=images`: what a look at files finds becomes a declaration before
a run is made of it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from cftrain.config.build import build_object
from cftrain.config.names import class_called
from cftrain.config.tree import literal
from cftrain.data.pictures.look import declared_images, looked_at
from cftrain.data.pictures.said import Images
from cftrain.data.pictures.told import images_told
from cftrain.data.tables.guessing.declared import declaration
from cftrain.data.tables.guessing.guess import GuessedTable, guessed
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.guessing.told import told


@dataclass(frozen=True, kw_only=True)
class Look:
    """How files are looked at, what is declared of that, and what people are told.

    `keys` are some of those that say it otherwise.
    """

    guess: Callable[[Any], Any]
    declaration: Callable[[Any], dict[str, Any]]
    told: Callable[[Any], str]
    keys: str


LOOKS: dict[type, Look] = {
    Table: Look(
        guess=guessed,
        declaration=declaration,
        told=told,
        keys="data.kinds, data.missing",
    ),
    Images: Look(
        guess=looked_at,
        declaration=declared_images,
        told=images_told,
        keys="data.size, data.channels, model",
    ),
}
"""By what is said of the files, which is no data set yet."""


def declared(
    config: DictConfig, tell: Callable[[Any], None] | None = None
) -> DictConfig:
    """Returns a composed configuration whose data set says everything.

    One without files to look at is returned as it is. What they were taken for is told,
    on standard error and once, unless there is somebody else to `tell`. Raises
    DataError and ConfigError.
    """
    kind = _kind(config)
    values = None if kind is None else _values(config.data)
    if kind is None or values is None:
        return config
    look = LOOKS[kind]
    guess = look.guess(build_object(values, kind, "data"))
    with open_dict(config):
        config.data = literal(look.declaration(guess))
    if tell is None:
        _say(f"{look.told(guess)}\n{_settings(config, look)}")
    else:
        tell(guess)
    return config


def guessed_table(values: dict[str, Any]) -> GuessedTable:
    """Returns the guess at a table that is given by plain values."""
    return guessed(build_object(values, Table, "data"))


def _kind(config: DictConfig) -> type | None:
    """What is said of the files to look at; None for other data."""
    if OmegaConf.is_missing(config, "data"):
        return None
    target = OmegaConf.select(config, "data._target_")
    kind = class_called(target) if isinstance(target, str) else None
    return kind if kind in LOOKS else None


def _values(data: DictConfig) -> dict[str, Any] | None:
    """Plain values; None if some are missing, of which others will complain."""
    if OmegaConf.missing_keys(data):
        return None
    try:
        values: Any = OmegaConf.to_container(data, resolve=True)
    except OmegaConfBaseException:
        return None
    return dict(values)


def _settings(config: DictConfig, look: Look) -> str:
    """What is done with the rows, as far as it depends on how many there are."""
    schedule, evaluation = config.schedule, config.evaluation
    return (
        f"model {config.model.name}, {schedule.epochs} epochs in batches of "
        f"{schedule.batch_rows} rows with {schedule.counterfactuals} counterfactuals; "
        f"evaluated in {evaluation.rounds} rounds of {evaluation.individuals}\n"
        f"each of these is a key: {look.keys}, schedule.epochs, ...; --cfg job shows "
        "them all"
    )


@cache
def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

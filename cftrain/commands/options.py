"""What the commands that compose a run are told besides the run itself."""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from omegaconf import DictConfig

from cftrain.commands.typed import clamped, typed_keys
from cftrain.config.build import build_together
from cftrain.config.tree import plain
from cftrain.evaluation.protocol import Protocol
from cftrain.objectives.objective import Objective
from cftrain.training.run import Run, relations


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is evaluated and what else is done with it; changes no weight.

    `compare` is the objective of a twin that shares seed, split and initial weights.
    """

    name: str
    compare: Objective | None
    evaluation: Protocol
    device: Literal["cpu", "cuda"]
    overwrite: bool


AnyOptions = TypeVar("AnyOptions", bound=Options)


def read(config: DictConfig, options: type[AnyOptions]) -> tuple[Run, AnyOptions]:
    """The run of a composed configuration, and the options of the command.

    Raises ConfigError with every mistake: its key, what was expected, what was given.
    """
    values, notes = clamped(plain(config), typed_keys())
    for note in notes:
        print(note)
    return build(values, options)


def build(values: dict[str, Any], options: type[AnyOptions]) -> tuple[Run, AnyOptions]:
    """As `read`, from plain values. Raises ConfigError."""
    run, chosen = build_together(values, [Run, options], relations)
    return run, chosen

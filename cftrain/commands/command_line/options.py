"""What the commands that compose a run are told besides the run itself."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cftrain.budget.budget import Budget
from cftrain.commands.command_line.own_data import declared
from cftrain.config.build import Built, build_together
from cftrain.config.overrides import typed_overrides
from cftrain.config.ranges import Count
from cftrain.config.tree import plain
from cftrain.errors import ConfigError, shown
from cftrain.evaluation.protocol import Protocol
from cftrain.objectives.objective import Objective
from cftrain.results.writing import written_whole
from cftrain.training.initial import initial_weights
from cftrain.training.run import Run, relations
from cftrain.training.watching.logger import Logger


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is evaluated and what else is done with it; changes no weight.

    `compare` is the objective of a twin that shares seed, split and initial weights. A
    `budget` says what a stronger objective may cost. Searches of wide rows go side by
    side in `threads`. A `logger` watches trainings besides our own history. A sweep
    goes by the `optimized_metric`.
    """

    name: str
    compare: Objective | None
    budget: Budget
    evaluation: Protocol
    device: Literal["cpu", "cuda"]
    threads: Count | None
    overwrite: bool
    logger: Logger | None
    optimized_metric: str | tuple[str, ...] | None


AnyOptions = TypeVar("AnyOptions", bound=Options)


def read(config: DictConfig, options: type[AnyOptions]) -> tuple[Run, AnyOptions]:
    """The run of a composed configuration, and the options of the command.

    Raises ConfigError with every mistake: its key, what was expected, what was given.
    """
    values, notes = clamped(plain(declared(config)), typed_keys())
    for note in notes:
        print(note)
    return build(values, options)


def refuse_budget(options: Options) -> None:
    """Raises ConfigError where a command that keeps no model was told a budget."""
    if options.budget.active:
        raise ConfigError(
            "budget: expected of cftrain train alone, which keeps one model, got one "
            "of another command; budget=none takes it away"
        )


def read_trained(config: DictConfig) -> tuple[Run, Options]:
    """The same of what is trained and not evaluated, so that no test rows are needed.
    Raises ConfigError.
    """
    values, _ = clamped(plain(config), typed_keys())
    run, options = build_together(_unstarted(values), [Run, Options], _unevaluated)
    return _starting(run, values), options


def _unevaluated(parts: dict[str, Any]) -> list[str]:
    return relations({key: parts[key] for key in parts if key != "evaluation"})


def build(
    values: dict[str, Any], options: type[AnyOptions], built: Built | None = None
) -> tuple[Run, AnyOptions]:
    """As `read`, from plain values; who builds many keeps what was `built`.

    Raises ConfigError.
    """
    unstarted = _unstarted(values)
    run, chosen = build_together(unstarted, [Run, options], relations, built=built)
    return _starting(run, values), chosen


def _unstarted(values: dict[str, Any]) -> dict[str, Any]:
    """The values without weights to start from, which are looked at when it is known
    what for.
    """
    return {key: None if key == "init_from" else v for key, v in values.items()}


def _starting(run: Run, values: dict[str, Any]) -> Run:
    """The run with the weights that it starts from. Raises ConfigError."""
    place = values.get("init_from")
    if place is None:
        return run
    if not isinstance(place, str):
        raise ConfigError(
            f"init_from: expected the name of a file or of a folder, got {shown(place)}"
        )
    return replace(run, init_from=initial_weights(place, run))


def save_configuration(config: DictConfig, folder: Path) -> None:
    """Write the composed configuration and the overrides. Raises ResultError."""
    overrides = typed_overrides(list(HydraConfig.get().overrides.task))
    with written_whole(folder / "config.yaml") as partial:
        OmegaConf.save(config, partial, resolve=True)
    with written_whole(folder / "overrides.yaml") as partial:
        OmegaConf.save(OmegaConf.create(overrides), partial)


def typed_keys() -> set[str]:
    """Returns the keys and groups that were given a value on the command line."""
    if not HydraConfig.initialized():
        return set()
    words = HydraConfig.get().overrides.task
    return {word.lstrip("+~").partition("=")[0] for word in words}


def clamped(
    values: dict[str, Any], typed: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Returns composed values in which no default counts more rows than there are for
    training, and a note on each that did. What was typed stays and is judged later.
    """
    data, schedule = values.get("data"), values.get("schedule")
    if not isinstance(data, dict) or not isinstance(schedule, dict):
        return values, []
    rows = data.get("training_rows")
    high = {
        key: count
        for key in ("counterfactuals", "batch_rows")
        if f"schedule.{key}" not in typed
        and isinstance(count := schedule.get(key), int)
        and isinstance(rows, int)
        and count > rows > 0
    }
    notes = [
        f"schedule.{key}: {rows} instead of {count}, as there are no more training rows"
        for key, count in high.items()
    ]
    return {**values, "schedule": {**schedule, **dict.fromkeys(high, rows)}}, notes

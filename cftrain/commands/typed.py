"""What was typed: it is kept beside results, and counts for more than a default."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

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

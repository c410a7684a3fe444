"""`cftrain data`: what datasets there are, and fetching one."""

from collections.abc import Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from tabulate import tabulate

from cftrain.commands.options import Options, read
from cftrain.config.tree import folder
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.errors import ConfigError, DataError

HEAD = [
    "name",
    "training",
    "validation",
    "test",
    "features",
    "classes",
    "source",
    "protected in the paper",
]
ABSENT = "not here"
SHOWN_NAMES = 3


def run(arguments: Sequence[str]) -> None:
    """`list` or `fetch NAME`. Raises ConfigError for anything else."""
    match list(arguments):
        case ["list"]:
            print(tabulate([_row(name) for name in names()], HEAD, tablefmt="simple"))
        case ["fetch", name]:
            spec = _spec(name, [])
            source = spec.source()
            dataset = spec.load()
            print(
                f"{name}: {source}, {len(dataset.labels)} training and validation "
                f"rows, {len(dataset.test_labels)} test rows"
            )
        case _:
            raise ConfigError(
                "cftrain data: expected 'list' or 'fetch NAME' with one of "
                f"{', '.join(names())}, got {' '.join(arguments)!r}"
            )


def names() -> list[str]:
    """All datasets that have a configuration."""
    return sorted(path.stem for path in (folder() / "data").glob("*.yaml"))


def _spec(name: str, overrides: list[str]) -> DatasetSpec:
    if name not in names():
        raise ConfigError(
            f"dataset: expected one of {', '.join(names())}, got {name!r}"
        )
    # Options of training are of no concern here, whatever the size of the data.
    loose = ["schedule.counterfactuals=1", "schedule.batch_rows=1", "compare=none"]
    with initialize_config_dir(str(folder()), version_base="1.3"):
        config = compose("run", overrides=[f"data={name}", *loose, *overrides])
    return read(config, Options)[0].data


def _row(name: str) -> list[Any]:
    spec = _spec(name, [])
    rows = [name, spec.training_rows, spec.validation_rows]
    source = spec.located()
    if source is None:
        return [*rows, "", "", "", ABSENT, _protected(name)]
    try:
        dataset = spec.load()
    except DataError as error:
        return [*rows, "", "", "", f"damaged: {error}", ""]
    return [
        *rows,
        len(dataset.test_labels),
        dataset.feature_count,
        dataset.classes,
        source,
        _protected(name),
    ]


def _protected(name: str) -> str:
    """Features that the experiment with protection holds fixed."""
    path = folder() / "experiment" / f"{name}_protected.yaml"
    if not path.is_file():
        return ""
    with initialize_config_dir(str(folder()), version_base="1.3"):
        config = compose("run", overrides=[f"experiment={name}_protected"])
    spec: Any = read(config, Options)[0].data
    if spec.located() is None:
        return ", ".join(getattr(spec, "mutability", {}))
    return _listed(spec.load())


def _listed(dataset: Dataset) -> str:
    constraints: Constraints = dataset.constraints
    fixed = ~(constraints.may_increase | constraints.may_decrease)
    held = [
        name
        for name, is_fixed in zip(dataset.feature_names, fixed.tolist(), strict=True)
        if is_fixed
    ]
    if len(held) > SHOWN_NAMES:
        return f"{len(held)} features: {held[0]} ... {held[-1]}"
    return ", ".join(held)

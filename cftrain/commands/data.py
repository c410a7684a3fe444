"""`cftrain data`: what datasets there are, fetching one, drafting that of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tabulate import tabulate

from cftrain.commands.command_line.lines import OWN, extra_folders, quoted
from cftrain.commands.command_line.options import Options, read
from cftrain.commands.command_line.own_data import guessed_table
from cftrain.config.overrides import replacing_overrides
from cftrain.config.tree import folder, options, refuse_shadowing
from cftrain.config.trust import outside_files_checked
from cftrain.config.unreadable import check_folder, named_files
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.tables.guessing.draft import draft
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
USAGE = """\
usage: cftrain data list [--config-dir FOLDER]
       cftrain data fetch NAME [--config-dir FOLDER]
       cftrain data describe FILE [label=COLUMN] [key=value ...] > NAME.yaml"""

ABSENT = "not here"
SHOWN_NAMES = 3


def run(arguments: Sequence[str]) -> None:
    """`list`, `fetch NAME` or `describe FILE`. Raises ConfigError for anything else."""
    extra, words = extra_folders(arguments)
    for directory in extra:
        check_folder(directory)
    refuse_shadowing(extra)
    match words:
        case ["-h"] | ["--help"]:
            print(USAGE)
        case ["list"]:
            names = [name for name in options("data", extra) if name not in OWN]
            rows = [_row(name, extra) for name in names]
            print(tabulate(rows, HEAD, tablefmt="simple"))
        case ["fetch", name]:
            spec = _spec(name, extra)
            source = spec.source()
            dataset = spec.load()
            print(
                f"{name}: {source}, {len(dataset.labels)} training and validation "
                f"rows, {len(dataset.test_labels)} test rows"
            )
        case ["describe", file, *given]:
            print(described(file, given), end="")
        case _:
            raise ConfigError(
                "cftrain data: expected 'list' or 'fetch NAME' with one of "
                f"{', '.join(options('data', extra))}, or 'describe FILE', got "
                f"{' '.join(words)!r}"
            )


def described(file: str, words: Sequence[str]) -> str:
    """Returns a draft of a table's YAML; the words are keys of conf/data/table.yaml.

    Raises ConfigError and DataError.
    """
    given = [word if word.startswith("data.") else f"data.{word}" for word in words]
    if odd := [word for word in words if "=" not in word]:
        raise ConfigError(
            f"cftrain data describe: expected overrides key=value, got {odd[0]!r}"
        )
    overrides = ["data=table", f"data.path={quoted(file)}", "data.label=null"]
    with initialize_config_dir(str(folder()), version_base="1.3"):
        config = compose("run", overrides=replacing_overrides([*overrides, *given]))
    values: Any = OmegaConf.to_container(config.data, resolve=True)
    return draft(guessed_table(values))


def _spec(name: str, extra: Sequence[Path]) -> DatasetSpec:
    known = options("data", extra)
    if name not in known:
        raise ConfigError(f"dataset: expected one of {', '.join(known)}, got {name!r}")
    return _composed(extra, f"data={quoted(name)}")


def _composed(extra: Sequence[Path], *overrides: str) -> DatasetSpec:
    """The dataset of a run. Options of training are of no concern here, whatever the
    size of the data.
    """
    loose = ["schedule.counterfactuals=1", "schedule.batch_rows=1", "compare=none"]
    found = ",".join(quoted(f"file://{path.absolute()}") for path in extra)
    with (
        named_files(extra),
        outside_files_checked(trusted=False),
        initialize_config_dir(str(folder()), version_base="1.3"),
    ):
        config = compose(
            "run", overrides=[*overrides, *loose, f"hydra.searchpath=[{found}]"]
        )
    return read(config, Options)[0].data


def _row(name: str, extra: Sequence[Path]) -> list[Any]:
    spec = _spec(name, extra)
    rows = [name, spec.training_rows, spec.validation_rows]
    source = spec.located()
    if source is None:
        return [*rows, "", "", "", ABSENT, _protected(name, extra)]
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
        _protected(name, extra),
    ]


def _protected(name: str, extra: Sequence[Path]) -> str:
    """Features that the experiment with protection holds fixed."""
    experiment = f"{name}_protected"
    if experiment not in options("experiment", extra):
        return ""
    spec: Any = _composed(extra, f"experiment={experiment}")
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

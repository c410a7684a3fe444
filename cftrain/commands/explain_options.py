"""What `cftrain explain` is told, what does not go together, what it makes of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from hydra import compose, initialize_config_dir

from cftrain.advice.advisor import Advisor
from cftrain.advice.cutoff import Cutoff, chosen_cutoff
from cftrain.advice.stored_model import StoredModel
from cftrain.commands.command_line.options import typed_keys
from cftrain.config import tree
from cftrain.config.build import build_object
from cftrain.config.ranges import Between, Count
from cftrain.counterfactuals.categories import Categories
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.columns import WrittenLevel, level_text
from cftrain.errors import ConfigError, warn


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Whose decisions are explained, towards what, and how the answers are told."""

    folder: str
    cell: str | None
    rows: str | None
    test_rows: Count
    target: WrittenLevel | None
    threshold: Annotated[float, Between(0, 1)] | None
    positive: WrittenLevel | None
    count: Count
    immutable: tuple[str, ...]
    relations: tuple[str, ...]
    sparse: bool
    observed_range: bool
    generator: Generator | None
    maturity: Maturity
    search: GradientDescent
    categories: Categories
    summary: bool
    groups: str | None
    format: Literal["text", "json", "csv", "parquet", "html"]
    output: str | None


def options_of(values: dict[str, Any]) -> ExplainOptions:
    """Returns the options of a configuration, which has no generator unless one was
    chosen. Raises ConfigError.
    """
    return build_object({"generator": None, **values}, ExplainOptions, "explain")


def standard_options(folder: Path) -> ExplainOptions:
    """Returns the options where nobody chose others. Raises ConfigError."""
    with initialize_config_dir(str(tree.folder()), version_base="1.3"):
        config = compose("explain")
    return options_of({**tree.plain(config), "folder": str(folder)})


def advisor_of(model: StoredModel, options: ExplainOptions) -> Advisor:
    """Returns what gives advice on the model. Raises ConfigError."""
    generator, run = options.generator or model.run.generator, model.run
    if generator.asks_head and not (run.model.has_head and run.objective.head_weight):
        raise ConfigError(
            "generator: expected another one for a model without a head that was "
            f"trained (objective=counternet), got {generator.name}"
        )
    search = CounterfactualSearch(
        generator=generator,
        maturity=options.maturity,
        descent=options.search,
        categories=options.categories,
    )
    return model.advisor(
        search,
        immutable=options.immutable,
        relations=options.relations,
        observed_range=options.observed_range,
        sparse=options.sparse,
        cutoff=_cutoff(model, options),
    )


def _cutoff(model: StoredModel, options: ExplainOptions) -> Cutoff | None:
    """What the decision is held against; nobody is to overlook that of a bundle.
    Raises ConfigError.
    """
    positive = None if options.positive is None else level_text(options.positive)
    cutoff = chosen_cutoff(
        options.threshold, positive, model.class_names, stored=model.cutoff
    )
    untold = options.threshold is None and options.format in ("csv", "parquet")
    if cutoff is not None and untold:
        warn(f"{options.folder} decides {cutoff}; {options.format} does not tell this")
    return cutoff


def target_of(advisor: Advisor, options: ExplainOptions) -> int | None:
    """Returns the class to reach, None for the most probable other one. Raises
    ConfigError.
    """
    if options.target is None:
        return None
    return advisor.class_of(level_text(options.target))


def check(options: ExplainOptions) -> None:
    """Raises ConfigError for what does not go together."""
    mistakes = _mistaken_output(options)
    if options.summary and options.format in ("csv", "parquet"):
        mistakes.append(
            "format: expected text, json or html for summary=true, got "
            f"{options.format}"
        )
    if options.groups is not None and not (options.summary or options.format == "html"):
        mistakes.append("groups: expected summary=true or format=html beside it")
    if mistakes:
        raise ConfigError(mistakes)


def _mistaken_output(options: ExplainOptions) -> list[str]:
    """Whether the user names a file to write, and none that is read.

    Configurations may be from elsewhere: they name nothing that is overwritten.
    """
    output, rows = options.output, options.rows
    if output is None:
        needed = options.format == "parquet"
        return ["output: expected a file for format=parquet, got null"] * needed
    if "output" not in typed_keys():
        return [
            "output: expected a file that is named on the command line, got "
            f"{output!r} from a file of configuration"
        ]
    if rows is not None and _is_same(output, rows):
        return [f"output: expected another file than that of the rows, got {rows!r}"]
    return []


def _is_same(path: str, other: str) -> bool:
    found = Path(path), Path(other)
    return all(each.exists() for each in found) and found[0].samefile(found[1])

"""What `cftrain explain` is told, and what does not go together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cftrain.commands.command_line.options import typed_keys
from cftrain.config.build import build_object
from cftrain.config.ranges import Count
from cftrain.counterfactuals.categories import Categories
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity
from cftrain.data.columns import WrittenLevel
from cftrain.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Whose decisions are explained, towards what, and how the answers are told."""

    folder: str
    cell: str | None
    rows: str | None
    test_rows: Count
    target: WrittenLevel | None
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

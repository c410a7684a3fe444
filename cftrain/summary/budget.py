"""What a budget has tried and kept, in words and numbers."""

import json
from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

import pandas as pd
from tabulate import tabulate

from cftrain.results.budget.curve import LIMITED
from cftrain.summary.measures import measure_told
from cftrain.summary.result_table import EMPTY

WIDTH = 88
STRENGTH = "strength"


def budget_of(budgets: pd.DataFrame, cells: Sequence[str]) -> pd.DataFrame:
    """Returns the curve of the newest budget that kept the first of some cells, the
    baseline first; without rows if none did.
    """
    keeping = budgets[budgets["kept"] & budgets["cell"].isin(list(cells[:1]))]
    if keeping.empty:
        return budgets.iloc[:0]
    newest = keeping.sort_values("created")["budget"].iloc[-1]
    return budgets[budgets["budget"] == newest].sort_values("strength")


def budget_told(curve: pd.DataFrame) -> str:
    """Returns the whole curve as a table, and what was kept for which reason."""
    lines = [_line(row) for row in curve.to_dict("records")]
    heads = ["strength"]
    for name in LIMITED:
        heads += [name, "less by"]
    measure = curve["measure"].iloc[0]
    if measure != STRENGTH:
        heads.append(measure_told(measure))
    else:
        lines = [[*line[:-2], line[-1]] for line in lines]
    heads.append("")
    table = tabulate(
        lines,
        heads,
        tablefmt="simple",
        disable_numparse=True,
        colalign=("right", *["right"] * (len(heads) - 2), "left"),
    )
    return "\n".join([table, "", *(fill(line, WIDTH) for line in _notes(curve)), ""])


def _line(row: dict[str, Any]) -> list[str]:
    said = "kept" if row["kept"] else "" if row["within"] else "too dear"
    return [
        "baseline" if row["cell"] == row["baseline"] else f"{row['strength']:g}",
        *(cell for name in LIMITED for cell in _share_and_loss(row, name)),
        EMPTY if pd.isna(row["value"]) else f"{row['value']:.4g}",
        said,
    ]


def _notes(curve: pd.DataFrame) -> Iterator[str]:
    said = json.loads(curve["config"].iloc[0])
    first, kept = curve.iloc[0], curve[curve["kept"]].iloc[0]
    limits = [
        f"{_points(said[name])} of {name}" for name in LIMITED if said[name] is not None
    ]
    errors = said["standard_errors"]
    sure = f", {errors:g} standard errors included" if errors else ""
    best = (
        "the strongest"
        if first["measure"] == STRENGTH
        else f"the best by {measure_told(first['measure'])}"
    )
    yield (
        f"Budget: at most {' and '.join(limits)} less than the baseline{sure}; {best} "
        f"is kept. All on validation rows ({first['rows']}, and "
        f"{first['individuals']} individuals), none on test rows; less by: the mean of "
        "the difference row by row ± its standard error."
    )
    if kept["cell"] == kept["baseline"]:
        yield (
            "Kept: the baseline. No strength that is better stays within the budget; a "
            "larger budget or other budget.strengths may."
        )
    else:
        yield f"Kept: strength {kept['strength']:g}."


def _points(share: float) -> str:
    points = f"{100 * share:g}"
    return f"{points} {'point' if points == '1' else 'points'}"


def _share_and_loss(row: dict[str, Any], name: str) -> tuple[str, str]:
    return _share(row[name]), _loss(row[f"{name}_loss"], row[f"{name}_error"])


def _share(value: float | None) -> str:
    return EMPTY if pd.isna(value) else f"{value:.3f}"


def _loss(value: float | None, error: float | None) -> str:
    if pd.isna(value):
        return EMPTY
    spread = "" if pd.isna(error) else f" ± {error:.4f}"
    return f"{value:.4f}{spread}"

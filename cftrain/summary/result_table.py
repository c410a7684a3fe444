"""The table that people see after a training: a line for each measure, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from tabulate import tabulate

from cftrain.summary.measures import is_aside, is_floor, measure_told
from cftrain.summary.naming import objective_name, objective_told
from cftrain.summary.statistics.change import STEADY
from cftrain.summary.statistics.comparison import Comparison
from cftrain.summary.statistics.intervals import Interval, t_interval
from cftrain.summary.tables.table import decimals_for

EMPTY = "-"
NO_CHANGE = "no change"
BETTER, WORSE = "▲", "▼"
WIDTH = 80
SHARE_DECIMALS = 3
MOST_DECIMALS = 6
"""Smaller numbers are written with an exponent."""

DISTANCES = (
    "IP and IP*: distance of valid counterfactuals to observed rows of their target; "
    "cost: to where they start"
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The model against its baseline: the change, what is beside it after ±, its unit,
    and whether it is more than noise; None where that is not known.
    """

    value: float
    spread: float | None
    unit: str
    real: bool | None


def result_table(
    seeds: Sequence[Sequence[Comparison]], objectives: Sequence[str], *, every: bool
) -> str:
    """Returns the lines of one training seed, or of the means over several, and a
    legend. The objectives are that of the model and, if there is one, the baseline's.

    Without `every` the variants of other measures are left out.
    """
    by_measure: dict[tuple[str, float | None], list[Comparison]] = {}
    for row in (row for rows in seeds for row in rows):
        by_measure.setdefault((row.metric, row.epsilon), []).append(row)
    shown = [
        rows
        for (metric, _), rows in by_measure.items()
        if every or not is_aside(metric)
    ]
    names = [objective_name(objective) for objective in objectives]
    heads = ["", *names[::-1]]
    lines = [[_label(rows[0]), *_levels(rows, len(names))] for rows in shown]
    if len(names) > 1:
        heads += ["", f"{names[0]} against {names[1]}"]
        lines = [
            [*line, *_told(change(rows), rows[0])]
            for line, rows in zip(lines, shown, strict=True)
        ]
    table = tabulate(
        lines,
        heads,
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", *["right"] * (len(heads) - 1)),
    )
    legend = _legend(shown, objectives, len(by_measure) - len(shown))
    return "\n".join([table, "", *(fill(line, WIDTH) for line in legend)])


def change(rows: Sequence[Comparison]) -> Change | None:
    """Returns what to say of a measure of one seed, or of several.

    Shares change by points; other measures by percent, or, where a ratio says nothing,
    by the difference itself. Observed rows, which floors are about, do not change.
    """
    if is_floor(rows[0].metric) or any(row.difference is None for row in rows):
        return None
    if not _in_points(rows[0]) and all(row.steady for row in rows):
        found = _percent(rows)
        if found is not None:
            return found
    factor, unit = (100, "points") if _in_points(rows[0]) else (1, "")
    values = [factor * row.difference for row in rows if row.difference is not None]
    if len(values) > 1:
        return _over_seeds(t_interval(values), unit)
    noise, settled = rows[0].noise, rows[0].settled
    spread = None if noise is None else factor * noise
    return Change(value=values[0], spread=spread, unit=unit, real=settled)


def _percent(rows: Sequence[Comparison]) -> Change | None:
    """None if the interval over seeds covers everything."""
    values = [-row.reduction for row in rows if row.reduction is not None]
    if len(values) == 1:
        return Change(
            value=values[0],
            spread=rows[0].deviation,
            unit="%",
            real=rows[0].settled,
        )
    found = _over_seeds(t_interval(values), "%")
    return found if (found.spread or 0) <= 100 * STEADY else None


def _over_seeds(found: Interval, unit: str) -> Change:
    spread = (found.high - found.low) / 2
    return Change(
        value=found.centre, spread=spread, unit=unit, real=found.excludes_zero
    )


def _in_points(row: Comparison) -> bool:
    return row.unit == "share" or row.higher_is_better


def _label(row: Comparison) -> str:
    at = "" if row.epsilon is None else f", ε {row.epsilon:.3g}"
    return f"{measure_told(row.metric)}{at}"


def _levels(rows: Sequence[Comparison], models: int) -> list[str]:
    """The baseline's level, if there is a baseline, and the model's."""
    sides = [[row.model for row in rows], [row.baseline for row in rows]]
    known = [[value for value in side if value is not None] for side in sides]
    means = [sum(values) / len(values) for values in known if values]
    decimals = decimals_for(*means) + (len(rows) == 1)
    if _in_points(rows[0]):
        decimals = SHARE_DECIMALS
    return [_level(values, decimals) for values in known[:models][::-1]]


def _level(values: Sequence[float], decimals: int) -> str:
    if not values:
        return EMPTY
    if len(values) == 1:
        return _number(values[0], decimals)
    found = t_interval(values)
    half = (found.high - found.low) / 2
    return f"{_number(found.centre, decimals)} ± {_number(half, decimals)}"


def _told(found: Change | None, row: Comparison) -> list[str]:
    """A sign for better or worse, and the change in words."""
    if found is None:
        return ["", EMPTY]
    decimals = 1 if found.unit else decimals_for(found.value, found.spread)
    spread = "" if found.spread is None else f" ± {_number(found.spread, decimals)}"
    size = _number(abs(found.value), decimals)
    nothing = float(size) == 0
    if nothing and float(_number(found.spread or 0, decimals)) == 0:
        return ["", NO_CHANGE]
    sign = "" if nothing or found.real is False else _sign(found.value, row)
    if found.unit == "%":
        return [sign, f"{size}{spread} % {'lower' if found.value <= 0 else 'higher'}"]
    plus = "" if nothing else "+" if found.value > 0 else "-"
    return [sign, f"{plus}{size}{spread} {found.unit}".rstrip()]


def _sign(value: float, row: Comparison) -> str:
    return BETTER if (value > 0) == row.higher_is_better else WORSE


def _number(value: float, decimals: int) -> str:
    if decimals > MOST_DECIMALS and value:
        return f"{value:.2e}"
    return f"{value:.{min(decimals, MOST_DECIMALS)}f}"


def _legend(
    shown: Sequence[Sequence[Comparison]], objectives: Sequence[str], hidden: int
) -> list[str]:
    """What names, signs and ± stand for, and how to see what is left out."""
    told = [", ".join(objective_told(each) for each in objectives[::-1])]
    if any(rows[0].metric == "ip" for rows in shown):
        told.append(DISTANCES)
    seeds = max((len(rows) for rows in shown), default=1)
    over = f"{seeds} training seeds" if seeds > 1 else "rounds"
    if len(objectives) > 1:
        level = 95 if seeds > 1 else 99
        told.append(
            f"{BETTER} {objective_name(objectives[0])} is better, {WORSE} worse, no "
            f"sign: the {level} % interval over {over} holds zero"
        )
    told.append(
        f"±: half of the 95 % interval over {over}"
        if seeds > 1
        else "±: standard deviation over rounds; one training seed. Without ±: one "
        "number of all test rows, where any difference has a sign"
    )
    if hidden:
        told.append(f"{hidden} more measures: cftrain show FOLDER all=true")
    return told

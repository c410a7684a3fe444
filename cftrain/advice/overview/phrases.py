"""An overview in words, for a terminal and for a page."""

from collections.abc import Callable

from cftrain.advice.overview.overview import (
    FEW_ROWS,
    Burden,
    ColumnChange,
    Overview,
    Spread,
)
from cftrain.advice.wording import share_text, signed_text, value_text
from cftrain.summary.statistics.intervals import Interval

NOTHING = "-"
MOST_MOVES = 2
COLUMN_HEADS = ("changes", "in", "direction", "by: median (middle half)")
GROUP_HEADS = ("rows", "need", "answered", "cost", "farther out than")
GROUP_NOTE = (
    "need: rows that are decided otherwise than wanted. Cost, and the share of\n"
    "observed rows that are nearer to their class than the answer: means with 95%\n"
    "intervals."
)


def facts(overview: Overview) -> list[tuple[str, str]]:
    """Returns what there is to count and to measure, each with its name."""
    decided = ", ".join(f"{name}: {n}" for name, n in overview.decisions.items())
    found = [
        ("rows", f"{overview.rows} ({decided})"),
        *([] if overview.cutoff is None else [("decided", str(overview.cutoff))]),
        ("wanted", " or ".join(overview.targets)),
        ("already there", str(overview.there)),
    ]
    if not overview.needed:
        return found
    share = share_text(overview.answered / overview.needed)
    found.append(
        (
            "with an answer",
            f"{overview.answered} of {overview.needed} others ({share}: validity as "
            "told)",
        )
    )
    if not overview.answered:
        return found
    bare = overview.answered - overview.firm
    if overview.further:
        text = f"the first answer of a row; {overview.further} further ones are not"
        found.append(("counted here", text))
    measured = [
        ("only just", f"{bare} of {overview.answered} answers"),
        ("cost", _spread(overview.cost, _short)),
        ("farther out than", _spread(overview.farther_than, share_text)),
        ("hold under noise", _spread(overview.under_noise, share_text)),
        ("other seeds agree", _spread(overview.other_models, share_text)),
    ]
    if overview.sampled < overview.answered:
        measured.append(("medians", f"of {overview.sampled} random answers"))
    return [*found, *((name, text) for name, text in measured if text != NOTHING)]


def column_cells(column: ColumnChange) -> tuple[str, str, str, str]:
    """Returns a column's entries below `COLUMN_HEADS`."""
    return (
        column.column,
        share_text(column.share),
        _direction(column),
        _amount(column),
    )


def group_cells(burden: Burden) -> tuple[str, str, str, str, str]:
    """Returns a group's entries below `GROUP_HEADS`."""
    share = NOTHING
    if burden.needed:
        share = share_text(burden.answered / burden.needed)
    if burden.share is not None:
        share = _interval(burden.share, share_text)
    return (
        str(burden.rows),
        str(burden.needed),
        share,
        _interval(burden.cost, _short),
        _interval(burden.farther_than, share_text),
    )


def notes(overview: Overview) -> list[str]:
    """Returns what has to be known to read it: mixed directions, small groups."""
    found = []
    if len(overview.targets) > 1 and overview.answered:
        found.append(
            "these answers lead to several classes; target=... shows what leads to one"
        )
    small = [burden.group for burden in overview.groups if burden.few]
    if small:
        found.append(
            f"fewer than {FEW_ROWS} rows need an answer in {', '.join(small)}: too few "
            "to judge such groups by"
        )
    return found


def _direction(column: ColumnChange) -> str:
    if column.up is None:
        return ""
    told = (
        f"up {share_text(column.up)}"
        if column.up >= 0.5
        else f"down {share_text(1 - column.up)}"
    )
    missing = f", {share_text(column.missing)} missing" if column.missing else ""
    return told + missing


def _amount(column: ColumnChange) -> str:
    if column.amount is None:
        return ", ".join(
            f"{value_text(move.before)} -> {value_text(move.after)} "
            f"{share_text(move.share)}"
            for move in column.moves[:MOST_MOVES]
        )
    return _spread(column.amount, lambda value: signed_text(float(f"{value:.5g}")))


def _spread(spread: Spread | None, text: Callable[[float], str]) -> str:
    if spread is None:
        return NOTHING
    return _around(*map(text, (spread.low, spread.median, spread.high)))


def _interval(interval: Interval | None, text: Callable[[float], str]) -> str:
    if interval is None:
        return NOTHING
    return _around(*map(text, (interval.low, interval.centre, interval.high)))


def _around(low: str, centre: str, high: str) -> str:
    return centre if low == centre == high else f"{centre} ({low} to {high})"


def _short(value: float) -> str:
    return f"{value:.2f}"

"""A change within the range of the class that is wanted, drawn as SVG.

Colours come from the style of the page, so that they follow light and dark.
"""

from collections.abc import Callable, Iterator
from html import escape

from cftrain.advice.answer import Change
from cftrain.advice.ranges import LevelShares, NumberRange
from cftrain.advice.wording import share_text, value_text

WIDTH, MARGIN = 320, 8
LINE, LABELS, HEIGHT = 14, 38, 44
BAR, ROW = 190, 20


def picture(
    change: Change, observed: NumberRange | LevelShares | None, target: str
) -> str:
    """Returns the drawing, or nothing if the column has no range."""
    if isinstance(observed, NumberRange):
        return _number(change, observed, target)
    if isinstance(observed, LevelShares):
        return _levels(change, observed, target)
    return ""


def _number(change: Change, observed: NumberRange, target: str) -> str:
    """A line from the lowest to the highest value with a box for the middle half; a
    ring where the row is and a disc where it would have to be.
    """
    # A missing value has no place: then there is the disc alone.
    after = observed.place(change.after)
    before = after if change.before is None else observed.place(change.before)
    place = _scale(observed, before, after)
    start, end = place(before), place(after)
    said = (
        f"{change.column}: from {value_text(change.before)} to "
        f"{value_text(change.after)}; observed {target}: "
        f"{observed.text(observed.lowest)} to {observed.text(observed.highest)}, the "
        f"middle half {observed.text(observed.low)} to {observed.text(observed.high)}"
    )
    low, high = place(observed.lowest), place(observed.highest)
    left, right = place(observed.low), place(observed.high)
    middle = place(observed.median)
    parts = [
        f'<line class="range" x1="{low}" x2="{high}" y1="{LINE}" y2="{LINE}"/>',
        _rectangle("half", left, LINE - 7, right - left, 14),
        f'<line class="median" x1="{middle}" x2="{middle}" y1="{LINE - 7}" '
        f'y2="{LINE + 7}"/>',
        f'<line class="move" x1="{start}" x2="{end}" y1="{LINE}" y2="{LINE}"/>',
        f'<circle class="before" cx="{start}" cy="{LINE}" r="4.5"/>',
        f'<circle class="after" cx="{end}" cy="{LINE}" r="5.5"/>',
        *_ends(observed, low, high),
    ]
    return _svg(said, HEIGHT, parts)


def _scale(
    observed: NumberRange, before: float, after: float
) -> Callable[[float], float]:
    """From values to places, wide enough for a row outside the range of the class."""
    low = min(observed.lowest, before, after)
    width = max(observed.highest, before, after) - low
    room = WIDTH - 2 * MARGIN

    def place(value: float) -> float:
        share = (value - low) / width if width > 0 else 0.5
        return round(MARGIN + room * share, 1)

    return place


def _ends(observed: NumberRange, low: float, high: float) -> Iterator[str]:
    """The ends of the range in numbers, side by side however near they are."""
    left, right = observed.text(observed.lowest), observed.text(observed.highest)
    # About 6 units for each sign: the labels of a narrow range would overlap.
    if high - low < 6 * (len(left) + len(right)) + 12:
        middle = min(max((low + high) / 2, WIDTH / 4), 3 * WIDTH / 4)
        yield _text(f"{left} to {right}", middle, LABELS, "middle")
        return
    yield _text(left, max(low - 6, 0), LABELS, "start")
    yield _text(right, min(high + 6, WIDTH), LABELS, "end")


def _levels(change: Change, observed: LevelShares, target: str) -> str:
    """A bar for each of both levels: how many of the class have it."""
    levels = (("before", change.before), ("after", change.after))
    shares = [observed.shares.get(level, 0.0) for _, level in levels]
    said = f"{change.column}: " + "; ".join(
        f"{share_text(share)} of the observed {target} have {value_text(level)}"
        for share, (_, level) in zip(shares, levels, strict=True)
    )
    parts = []
    for row, (share, (kind, level)) in enumerate(zip(shares, levels, strict=True)):
        top = 4 + ROW * row
        parts.append(_rectangle("track", 1, top, BAR, 12))
        parts.append(_rectangle(f"bar-{kind}", 1, top, round(BAR * share, 1), 12))
        label = f"{share_text(share)} {_cut(value_text(level))}"
        parts.append(_text(label, BAR + 9, top + 10, "start"))
    return _svg(said, HEIGHT, parts)


def _svg(said: str, height: int, parts: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label='
        f'"{escape(said)}">{"".join(parts)}</svg>'
    )


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{max(width, 0):g}" '
        f'height="{height}" rx="2"/>'
    )


def _text(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _cut(text: str) -> str:
    """A text that fits beside its bar; the whole one stands beside the picture."""
    return text if len(text) <= 13 else f"{text[:12]}…"

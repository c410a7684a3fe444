"""What one person is told, as a part of a page; whatever was in a cell is text."""

from collections.abc import Iterator
from html import escape
from itertools import islice

from cftrain.advice.advice import Advice
from cftrain.advice.answer import Answer, Change
from cftrain.advice.images.figures import answer_figures, given_figure
from cftrain.advice.images.form import ImageForm
from cftrain.advice.pages.breakable import breakable
from cftrain.advice.pages.picture import picture
from cftrain.advice.ranges import ClassRange
from cftrain.advice.wording import (
    cutoff_text,
    difference_text,
    probability_text,
    share_text,
    value_text,
)

MOST_CHANGES = 40
"""Changes of one answer that are shown, so that pages of wide tables stay small."""


def card(advice: Advice, observed: ClassRange, image: ImageForm | None) -> str:
    """Returns the card of a row; `observed` has the ranges of the wanted class, `image`
    says how a row is an image.
    """
    parts = "".join(_parts(advice, observed, image))
    return f'<article class="card">\n{parts}</article>\n'


def _parts(
    advice: Advice, observed: ClassRange, image: ImageForm | None
) -> Iterator[str]:
    sure = f"{probability_text(advice.probability)}{cutoff_text(advice.cutoff)}"
    decision = escape(f"{advice.decision} ({sure})")
    yield (
        f'<div class="head"><h3>Row {advice.row + 1}{_called(advice)}</h3>'
        f"<span>decided: <b>{decision}</b></span>"
        f'<span class="wanted">wanted: <b>{escape(advice.target)}</b></span></div>\n'
    )
    for note in advice.notes:
        yield f'<p class="note">{escape(note)}</p>\n'
    if advice.reason is not None:
        there = advice.decision == advice.target
        reason = advice.reason if there else f"No answer: {advice.reason}"
        yield f"<p>{escape(reason[:1].upper() + reason[1:])}.</p>\n"
    if image is not None and not advice.answers:
        yield given_figure(advice, image)
    for place, answer in enumerate(advice.answers):
        doubt = "" if answer.firm else ' <span class="badge doubt">only just</span>'
        reached = escape(f"{advice.target} ({probability_text(answer.probability)})")
        yield f"<h4>Answer {place + 1}: {reached}{doubt}</h4>\n"
        if image is None:
            yield from _changes(answer, advice.target, observed)
        else:
            yield answer_figures(advice, place, image)
        yield f"<dl>{''.join(_facts(answer, advice.target))}</dl>\n"
    if image is None:
        yield _values(advice)


def _called(advice: Advice) -> str:
    return "" if advice.name is None else f": {breakable(advice.name)}"


def _changes(answer: Answer, target: str, observed: ClassRange) -> Iterator[str]:
    for change in islice(answer.changes, MOST_CHANGES):
        yield _change(change, observed, target)
    more = len(answer.changes) - MOST_CHANGES
    if more > 0:
        yield f'<p class="soft">and {more} more changes</p>\n'


def _change(change: Change, observed: ClassRange, target: str) -> str:
    by = difference_text(change)
    difference = f' <span class="by">({escape(by)})</span>' if by else ""
    return (
        f'<div class="change"><span class="name">{breakable(change.column)}</span>'
        f"<span>{escape(value_text(change.before))} → "
        f"<b>{escape(value_text(change.after))}</b>{difference}</span>"
        f"{picture(change, observed.get(change.column), target)}</div>\n"
    )


def _facts(answer: Answer, target: str) -> Iterator[str]:
    told = [
        ("cost", f"{answer.cost:.2f}"),
        ("holds under noise", share_text(answer.under_noise)),
    ]
    if answer.farther_than is not None:
        farther = f"{share_text(answer.farther_than)} of observed {target}"
        told.insert(1, ("farther out than", farther))
    if answer.other_models is not None:
        told.append(("other seeds' models agree", share_text(answer.other_models)))
    if answer.put_back:
        told.append(("needless changes put back", str(answer.put_back)))
    for name, text in told:
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"


def _values(advice: Advice) -> str:
    """All values of the row, and those of the observed rows nearest to its answers."""
    near = {
        f"near answer {number}": answer.nearest
        for number, answer in enumerate(advice.answers, start=1)
        if answer.nearest is not None
    }
    shown = {"given": advice.given, **near}
    head = "".join(f"<th>{name}</th>" for name in ("", *shown))
    rows = "".join(
        f"<tr><th>{breakable(name)}</th>"
        + "".join(
            f"<td>{escape(value_text(values.get(name, '')))}</td>"
            for values in shown.values()
        )
        + "</tr>\n"
        for name in islice(advice.given, MOST_CHANGES)
    )
    title = "All values, and the nearest observed" if near else "All values"
    return (
        f"<details><summary>{title}</summary>\n"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div></details>\n"
    )

"""Advice as text for a terminal."""

from collections.abc import Iterator
from textwrap import wrap

from cftrain.advice.advice import Advice
from cftrain.advice.answer import Answer, Change
from cftrain.advice.images.changes import pixel_changes
from cftrain.advice.images.drawn import side_by_side
from cftrain.advice.images.form import ImageForm
from cftrain.advice.wording import (
    cutoff_text,
    difference_text,
    probability_text,
    share_text,
    value_text,
)

WIDTH = 76
"""Signs of a line about an image, which two drawings stand below."""


def text(advice: Advice, image: ImageForm | None) -> str:
    """Returns the lines about one row; one that is an image is drawn."""
    return "\n".join(_lines(advice, image))


def _lines(advice: Advice, image: ImageForm | None) -> Iterator[str]:
    sure = f"{probability_text(advice.probability)}{cutoff_text(advice.cutoff)}"
    called = "" if advice.name is None else f", {advice.name}"
    yield (
        f"row {advice.row + 1}{called}: {advice.decision} (probability {sure}); "
        f"wanted: {advice.target}"
    )
    for note in advice.notes:
        yield f"  note: {note}"
    if advice.decision == advice.target:
        yield f"  {advice.reason}"
    elif advice.reason is not None:
        yield f"  no answer: {advice.reason}"
    for number, answer in enumerate(advice.answers, start=1):
        sure = probability_text(answer.probability)
        yield f"  answer {number}: probability {sure}{_doubt(answer)}"
        told = _changes(answer) if image is None else _drawings(advice, answer, image)
        for line in (*told, _support(answer)):
            yield f"    {line}".rstrip()


def _changes(answer: Answer) -> Iterator[str]:
    width = max((len(change.column) for change in answer.changes), default=0)
    for change in answer.changes:
        yield f"{change.column:<{width}}  {_change(change)}"


def _drawings(advice: Advice, answer: Answer, image: ImageForm) -> Iterator[str]:
    changes = pixel_changes(image, advice.given, answer)
    yield from wrap(changes.text(), WIDTH)
    pictures = [image.pixels(advice.given).mean(-1), changes.after.mean(-1)]
    heads = [f"given: {advice.decision}", f"answer: {advice.target}"]
    yield from side_by_side(pictures, heads)


def _change(change: Change) -> str:
    by = difference_text(change)
    moved = f"{value_text(change.before)} -> {value_text(change.after)}"
    return f"{moved} ({by})" if by else moved


def _doubt(answer: Answer) -> str:
    return "" if answer.firm else " (only just)"


def _support(answer: Answer) -> str:
    others = (
        ""
        if answer.other_models is None
        else f", {share_text(answer.other_models)} of other seeds' models agree"
    )
    near = (
        ""
        if answer.farther_than is None
        else f"; farther out than {share_text(answer.farther_than)} of the observed"
    )
    held = f"{share_text(answer.under_noise)} hold under noise"
    return f"cost {answer.cost:.2f}{near}; {held}{others}"

"""A page of advice: all rows together, then a card for each of the first ones."""

from collections.abc import Iterable
from html import escape

from cftrain.advice.advice import Advice
from cftrain.advice.advisor import Advisor
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.pages.card import card
from cftrain.advice.pages.overall import overall
from cftrain.advice.pages.style import STYLE
from cftrain.advice.ranges import ClassRange, class_range
from cftrain.summary.tables.formats.html import html_page

MOST_CARDS = 200
MOST_SIGNS = 4_000_000
"""Of all cards together: a page has to open on a phone."""

LEGEND = """A line is the range of the observed rows of the wanted class, the box its
middle half with the median; the ring is where the row is, the disc where it would have
to be. Bars show how many of these rows have a level."""

IMAGE_LEGEND = """<i>The change</i> is blue where a pixel becomes brighter, orange where
it becomes darker, and the more so the more it changes; beside it is the image of the
wanted class that is nearest to the answer, of those that the model was trained with."""

FIGURES = """Every answer is rounded as it is printed and judged again by the stored
model. <i>Cost</i> is the L1 distance in standardised features. <i>Farther out</i> is
the share of the observed rows of the class that are nearer to it than the answer: near
100% it is an unusual member. <i>Noise</i> has a deviation of 0.05 in standardised
features. An answer that <i>only just</i> holds has the class but not the probability
that the search stops at."""


def page(
    advisor: Advisor,
    advice: Iterable[Advice],
    gathering: Gathering,
    *,
    data: str,
    about: Iterable[str],
    with_cards: bool,
) -> str:
    """Returns the whole page, of bounded size; `data` is the name of the data set."""
    cards: list[str] = []
    signs = 0
    for each in gathering.passed(advice):
        if with_cards and len(cards) < MOST_CARDS and signs < MOST_SIGNS:
            cards.append(card(each, _ranges(advisor, each), advisor.image))
            signs += len(cards[-1])
    overview = gathering.overview()
    title = f"What would have to change: {data}"
    told = " · ".join(escape(line) for line in about)
    together = overall(overview, advisor.image)
    body = f'<h1>{escape(title)}</h1>\n<p class="soft">{told}</p>\n{together}'
    if with_cards:
        legend = f'<p class="soft">{LEGEND if advisor.image is None else IMAGE_LEGEND}'
        body += f"<h2>Row by row</h2>\n{legend} {FIGURES}</p>\n"
        body += _count(len(cards), overview.rows)
        body += "".join(cards)
    return html_page(title, body, style=STYLE)


def _ranges(advisor: Advisor, advice: Advice) -> ClassRange:
    """Where the observed rows of the wanted class are; pixels are not drawn there."""
    if advisor.image is not None:
        return {}
    return class_range(advisor, advisor.class_of(advice.target))


def _count(cards: int, rows: int) -> str:
    if cards == rows:
        return ""
    return (
        f"<p><b>The first {cards} of {rows} rows have a card here</b>; all of them "
        "count above, and the other formats tell all of them.</p>\n"
    )

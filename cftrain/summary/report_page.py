"""One page that holds all tables and figures of some results."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cftrain.errors import ResultError
from cftrain.summary.figures.picture import Picture
from cftrain.summary.tables.formats.html import html_page, html_part
from cftrain.summary.tables.table import Table

TITLE = "Results of counterfactual training"

SIGNS = (
    "Reductions, in percent of the baseline, and differences from it are positive "
    "where counterfactual training has less; less implausibility (IP, IP*) and less "
    "cost are better."
)

EXPLAINED = (
    "The first test rows, by the counterfactual model of the first seed: the decision, "
    "and the change that was found for another one, in raw units, rounded as "
    "printed and judged again."
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """Lines about a few decisions, as a terminal shows them."""

    title: str
    text: str


def report_page(
    tables: Sequence[Table],
    pictures: Sequence[Picture],
    *,
    examples: Sequence[Example],
    origin: Sequence[tuple[str, str]],
) -> str:
    """Returns all of it as one file that needs no other. Raises ResultError.

    `origin` has names and texts of what is said about the page itself.
    """
    sections = [
        (f"table-{table.name}", table.title, html_part(table)) for table in tables
    ]
    sections += [
        (f"figure-{number}", picture.title, _picture(picture))
        for number, picture in enumerate(pictures, start=1)
    ]
    sections += [
        (f"example-{number}", example.title, _example(example))
        for number, example in enumerate(examples, start=1)
    ]
    contents = "\n".join(
        f'<li><a href="#{escape(anchor)}">{escape(title)}</a></li>'
        for anchor, title, _ in sections
    )
    bodies = "\n".join(
        f'<section id="{escape(anchor)}">\n{body}\n</section>'
        for anchor, _, body in sections
    )
    return html_page(
        TITLE,
        f"<h1>{TITLE}</h1>\n{_origin(origin)}\n<nav><ul>\n{contents}\n</ul></nav>\n"
        f"{bodies}",
    )


def _origin(origin: Sequence[tuple[str, str]]) -> str:
    told = "\n".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in origin
    )
    return f'<dl class="origin">\n{told}\n</dl>\n<p>{escape(SIGNS)}</p>'


def _example(example: Example) -> str:
    return (
        f"<h2>{escape(example.title)}</h2>\n<p>{escape(EXPLAINED)}</p>\n"
        f"<pre>{escape(example.text)}</pre>"
    )


def _picture(picture: Picture) -> str:
    images = []
    for file in picture.files:
        if file.suffix != ".png":
            continue
        try:
            content = base64.b64encode(file.read_bytes()).decode()
        except OSError as error:
            raise ResultError(f"{file}: could not be read: {error}") from error
        source = f"data:image/png;base64,{content}"
        images.append(f'<img src="{source}" alt="{escape(picture.title)}">')
    return (
        f"<h2>{escape(picture.title)}</h2>\n<figure>\n{chr(10).join(images)}\n"
        f"<figcaption>{escape(picture.caption)}</figcaption>\n</figure>"
    )

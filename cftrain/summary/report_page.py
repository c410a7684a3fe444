"""One page that holds all tables and figures of some results."""

import base64
from collections.abc import Sequence
from html import escape

from cftrain.errors import ResultError
from cftrain.summary.figures.picture import Picture
from cftrain.summary.tables.formats.html import html_page, html_part
from cftrain.summary.tables.table import Table

TITLE = "Results of counterfactual training"


def report_page(tables: Sequence[Table], pictures: Sequence[Picture]) -> str:
    """Returns all of it as one file that needs no other. Raises ResultError."""
    sections = [
        (f"table-{table.name}", table.title, html_part(table)) for table in tables
    ]
    sections += [
        (f"figure-{number}", picture.title, _picture(picture))
        for number, picture in enumerate(pictures, start=1)
    ]
    contents = "\n".join(
        f'<li><a href="#{anchor}">{escape(title)}</a></li>'
        for anchor, title, _ in sections
    )
    bodies = "\n".join(
        f'<section id="{anchor}">\n{body}\n</section>' for anchor, _, body in sections
    )
    return html_page(
        TITLE,
        f"<h1>{TITLE}</h1>\n<nav><ul>\n{contents}\n</ul></nav>\n{bodies}",
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

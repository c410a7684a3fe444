"""Links between pages: what lies beside docs/ has a page of the site too."""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

OUTSIDE = {
    "changelog.md": ROOT / "CHANGELOG.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "security.md": ROOT / "SECURITY.md",
}
"""Pages of the site whose files do not lie in docs/."""

PAGES = {source.name: name for name, source in OUTSIDE.items()} | {
    "README.md": "index.md"
}

LINK = re.compile(
    r"\[(?P<text>[^\]]*)\]"
    r"\((?!https?:|#|mailto:)(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)"
)


def linked(markdown: str, page: str) -> str:
    """Returns a page whose links to files of the checkout lead to pages of the site.

    `page` is its name there; in a file of the checkout, links go from that file. Where
    the text of a link is the name of a file, the page's title takes its place.
    """
    outside = page in OUTSIDE
    folder = "." if outside else posixpath.join("docs", posixpath.dirname(page))

    def link(found: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(folder, found["target"]))
        name = PAGES.get(file) or file.removeprefix("docs/")
        there = posixpath.relpath(name, posixpath.dirname(page) or ".")
        named = found["text"].endswith(".md")
        text = _title(ROOT / file) if named else found["text"]
        return f"[{text}]({there}{found['anchor'] or ''})"

    return LINK.sub(link, markdown)


def _title(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ")

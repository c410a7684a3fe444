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

TARGET = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def linked(markdown: str, page: str) -> str:
    """Returns a page whose links to files of the checkout lead to pages of the site.

    `page` is its name there; in a file of the checkout, links go from that file.
    """
    outside = page in OUTSIDE
    folder = "." if outside else posixpath.join("docs", posixpath.dirname(page))

    def target(found: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(folder, found[1]))
        name = PAGES.get(file) or file.removeprefix("docs/")
        there = posixpath.relpath(name, posixpath.dirname(page) or ".")
        return f"]({there}{found[2] or ''})"

    return TARGET.sub(target, markdown)

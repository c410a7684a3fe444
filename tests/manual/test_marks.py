"""Marks of pages are filled in, and every page is in the site's menu."""

from pathlib import Path

import pytest
import yaml

from cftrain.config import tree
from scripts.manual.links import OUTSIDE, ROOT
from scripts.manual.marks import MARK, filled_in

DOCS = ROOT / "docs"


def pages(node: object) -> list[str]:
    """The pages of a menu, at any depth."""
    if isinstance(node, dict):
        return [page for value in node.values() for page in pages(value)]
    if isinstance(node, list):
        return [page for value in node for page in pages(value)]
    return [str(node)]


def test_a_mark_is_filled_in():
    text = filled_in("Before.\n\n<!-- keys of maturity -->\n\nAfter.")
    assert text.startswith("Before.\n\n| `maturity=` |")
    assert "#maturity.threshold" in text
    assert text.endswith("After.")
    assert filled_in("<!-- a comment -->") == "<!-- a comment -->"


def test_a_mark_of_nothing_is_an_error():
    with pytest.raises(KeyError):
        filled_in("<!-- command of nothing -->")


@pytest.mark.parametrize(
    "page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.stem
)
def test_pages_of_the_reference_have_marks(page: Path):
    text = page.read_text(encoding="utf-8")
    assert MARK.search(text) or "\n::: cftrain." in text


UNTOLD = {"declaration", "table"}
"""Groups of what files are made of: docs/configuration.md, docs/tables.md."""


def test_every_group_of_options_is_in_the_reference():
    pages = (DOCS / "reference").glob("*.md")
    found = [MARK.finditer(page.read_text(encoding="utf-8")) for page in pages]
    told = {mark["name"] for marks in found for mark in marks if mark["name"]}
    # A group within a group is told with the outer one.
    outer = {name for name in tree.groups() if "/" not in name}
    assert outer - UNTOLD <= told


def test_every_page_is_in_the_menu():
    # Material's own settings may name Python functions; the menu is plain.
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    menu = pages(yaml.safe_load(config.partition("\nnav:\n")[2]))
    there = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert sorted(menu) == sorted({*there, *OUTSIDE})

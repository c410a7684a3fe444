"""Links between files become links between pages."""

import pytest

from scripts.manual.links import OUTSIDE, ROOT, linked


@pytest.mark.parametrize(
    ("page", "link", "there"),
    [
        ("tutorial.md", "../README.md", "index.md"),
        ("export.md", "../SECURITY.md", "security.md"),
        ("concepts/objective.md", "../results.md#cells", "../results.md#cells"),
        ("concepts/objective.md", "../../CHANGELOG.md", "../changelog.md"),
        ("contributing.md", "docs/design.md", "design.md"),
        ("contributing.md", "SECURITY.md", "security.md"),
        ("index.md", "images/boundary.png", "images/boundary.png"),
        ("index.md", "#here", "#here"),
        (
            "index.md",
            "https://arxiv.org/abs/2601.16205",
            "https://arxiv.org/abs/2601.16205",
        ),
    ],
)
def test_a_link_leads_to_a_page(page, link, there):
    assert linked(f"see [it]({link}).", page) == f"see [it]({there})."


def test_the_name_of_a_file_becomes_the_title_of_its_page():
    assert linked("[results.md](../results.md#x)", "concepts/objective.md") == (
        "[Results](../results.md#x)"
    )
    assert linked("[SECURITY.md](../SECURITY.md)", "export.md") == (
        "[Security](security.md)"
    )


def test_pages_beside_the_folder_are_there():
    assert all(source.is_file() for source in OUTSIDE.values())
    assert (ROOT / "mkdocs.yml").is_file()

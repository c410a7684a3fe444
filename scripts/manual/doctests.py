"""Examples of docstrings (`>>> `) as blocks of code, where Markdown sees quotations."""

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

BEFORE_FENCES = 28
"""Between the preprocessors that clean white space and those that find blocks."""


class Examples(Preprocessor):
    """Puts fences around examples, which end at an empty line."""

    def run(self, lines: list[str]) -> list[str]:
        found: list[str] = []
        inside = fenced = False
        for line in lines:
            fenced ^= line.startswith("```")
            if not inside and not fenced and line.startswith(">>> "):
                inside = True
                found.append("```pycon")
            elif inside and not line.strip():
                inside = False
                found.append("```")
            found.append(line)
        return [*found, "```"] if inside else found


class DoctestExtension(Extension):
    """The preprocessor, for `markdown_extensions` of mkdocs.yml."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        md.preprocessors.register(Examples(md), "doctests", BEFORE_FENCES)


def makeExtension(**options: object) -> DoctestExtension:  # noqa: N802
    """Called by Markdown."""
    return DoctestExtension(**options)

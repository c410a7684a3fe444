"""Formulas as MathML: browsers draw it by themselves, without scripts and network."""

import re
from html import unescape

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>',
    re.DOTALL,
)


def with_formulas(html: str) -> str:
    """Returns a page in which what stood between dollar signs is MathML."""
    return FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    block = found["tag"] == "div"
    latex = unescape(found["latex"]).strip()
    formula = convert(latex, display="block" if block else "inline")
    return f'<div class="formula">{formula}</div>' if block else formula

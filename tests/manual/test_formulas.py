"""Formulas of pages become MathML."""

import pytest

pytest.importorskip("latex2mathml", reason="needs the extra docs")

from scripts.manual.formulas import with_formulas


def test_a_formula_becomes_mathml():
    inline = '<p>of <span class="arithmatex">\\(x \\lt y^+\\)</span> here</p>'
    found = with_formulas(inline)
    assert found.startswith('<p>of <math xmlns="http://www.w3.org/1998/Math/MathML"')
    assert 'display="inline"' in found
    assert "arithmatex" not in found
    block = '<div class="arithmatex">\\[\n\\lambda_1 &lt; 2\n\\]</div>'
    assert 'display="block"' in with_formulas(block)
    assert "<mi>&#x003BB;</mi>" in with_formulas(block)


def test_other_text_stays():
    assert with_formulas("<p>5 $ and 6 $</p>") == "<p>5 $ and 6 $</p>"

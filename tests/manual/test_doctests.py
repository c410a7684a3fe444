"""Examples of docstrings are code."""

import pytest

pytest.importorskip("mkdocs", reason="needs the extra docs")

from markdown import Markdown

from scripts.manual.doctests import DoctestExtension

TEXT = """\
Before.

>>> 1 + 1
2
>>> print(
...     3
... )
3

After.

> quoted
"""


def test_an_example_becomes_a_block_of_code():
    html = Markdown(extensions=[DoctestExtension(), "fenced_code"]).convert(TEXT)
    assert '<code class="language-pycon">&gt;&gt;&gt; 1 + 1\n2\n' in html
    assert html.count("<pre>") == 1
    assert html.count("<blockquote>") == 1
    assert "<p>After.</p>" in html


def test_an_example_may_end_a_text():
    html = Markdown(extensions=[DoctestExtension(), "fenced_code"]).convert(">>> 1\n1")
    assert html.startswith("<pre><code")
    assert html.endswith("</code></pre>")

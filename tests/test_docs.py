"""What the documents show as code runs."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("unchecked")
def test_the_example_of_the_stack_axis_runs():
    (code,) = BLOCK.findall((DOCS / "design.md").read_text())
    exec(compile(code, "design.md", "exec"), {})

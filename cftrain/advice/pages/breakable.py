"""Long names on a narrow page."""

import re
from html import escape


def breakable(name: str) -> str:
    """Returns a name that may break after signs between its words."""
    return re.sub(r"([_/.-])(?=\w)", r"\1<wbr>", escape(name))

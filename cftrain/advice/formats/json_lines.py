"""Advice as a line of JSON for each row."""

import json

from cftrain.advice.advice import Advice


def json_line(advice: Advice) -> str:
    """Returns all of one row's advice."""
    return json.dumps(advice, default=vars, ensure_ascii=False)

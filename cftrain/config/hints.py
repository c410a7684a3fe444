"""What somebody may have meant, said after what was expected."""

import difflib
from collections.abc import Sequence
from typing import Any


def closest(value: Any, options: Sequence[Any]) -> str:
    """Returns a hint at the option that is spelt nearly like the value, if one is."""
    close = difflib.get_close_matches(
        str(value)[:100], [str(option) for option in options]
    )
    return f" (did you mean {close[0]!r}?)" if close else ""


def chosen_by(value: Any, key: str) -> str:
    """Returns a hint for who gives an option of a group where its values belong:
    `evaluation/generator=revise` for `evaluation.generator=revise`.
    """
    if not isinstance(value, str) or not value.isidentifier():
        return ""
    # Imported here, since only a mistake needs Hydra, which is slow to load.
    from cftrain.config.tree import folder

    group, name = key.replace(".", "/"), key.rpartition(".")[2]
    for place, override in ((group, group), (name, f"{name}@{key}")):
        if (folder() / place / f"{value}.yaml").is_file():
            return f" (did you mean {override}={value}?)"
    return ""

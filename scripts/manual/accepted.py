"""Which values a configured field takes, in words, from its annotation."""

import inspect
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cftrain.config.ranges import Range
from cftrain.training.initial import InitialWeights

PLAIN = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Any: "any value",
    types.NoneType: "null",
    InitialWeights: "the name of a file or a folder",
}


def accepted(hint: Any) -> str:
    """Returns what a value has to be, as Markdown: "a number ≥ 0", "`a` or `b`"."""
    if get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        return _ranged(accepted(kind), [mark for mark in marks if _is_range(mark)])
    if get_origin(hint) in (Union, types.UnionType):
        return _any_of(get_args(hint))
    if get_origin(hint) is Literal:
        return _or([f"`{option}`" for option in get_args(hint)])
    if get_origin(hint) is tuple:
        return _list(get_args(hint))
    if get_origin(hint) is dict:
        return f"a mapping, of each name {accepted(get_args(hint)[1])}"
    if hint in PLAIN:
        return PLAIN[hint]
    name = hint.__name__ if inspect.isclass(hint) else str(hint)
    return f"a `{name}`"


def _is_range(mark: Any) -> bool:
    return isinstance(mark, Range) and not inspect.isclass(mark)


def _ranged(kind: str, ranges: list[Range]) -> str:
    """A kind of number with its ranges; what else a field may be stands behind it."""
    if not ranges:
        return kind
    number = "a whole number" if kind.startswith("a whole number") else "a number"
    bounds = [str(each).removeprefix("a number ") for each in ranges]
    words = " and ".join(bound for bound in bounds if bound != f"< {2**63:g}")
    words = words.replace(">=", "≥").replace("in [0, 1]", "from 0 to 1")
    return f"{number} {words}{kind.removeprefix(number)}"


def _any_of(kinds: tuple[Any, ...]) -> str:
    """What one of several kinds takes; a float that a stack may hold is a number."""
    if float in kinds:
        kinds = tuple(kind for kind in kinds if kind in (float, types.NoneType))
    return _or(list(dict.fromkeys(accepted(kind) for kind in kinds)))


def _list(kinds: tuple[Any, ...]) -> str:
    if kinds[-1] is Ellipsis:
        return f"a list, each {accepted(kinds[0])}"
    same = set(kinds) == {kinds[0]}
    parts = f"each {accepted(kinds[0])}" if same else ", ".join(map(accepted, kinds))
    return f"a list of {len(kinds)}: {parts}"


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))

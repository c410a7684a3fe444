"""Wrong values of every configured field, made from its own annotation and ranges."""

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cftrain.commands.command_line.options import Options
from cftrain.commands.evaluate import EvaluateOptions
from cftrain.commands.figure import FigureOptions
from cftrain.commands.grid import GridOptions
from cftrain.commands.tables import TablesOptions
from cftrain.config.build import _hints
from cftrain.config.names import class_called
from cftrain.config.ranges import Above, AtLeast, Below, Between
from cftrain.config.tree import groups, plain
from cftrain.errors import shown
from cftrain.training.run import Run
from tests.console import compose

HUGE = 2**1024
NULL, LIST, MAPPING = ("null", None), ("[1]", [1]), ("{a: 1}", {"a": 1})
TEXT, EMPTY, HALF, TRUE = ("many", "many"), ("''", ""), ("1.5", 1.5), ("true", True)
NAN, INFINITE, LARGE = ("nan", float("nan")), ("-inf", -float("inf")), (f"{HUGE}", HUGE)

ROOTS: tuple[tuple[str, tuple[str, ...], tuple[type, ...]], ...] = (
    ("train", (), (Run, Options)),
    ("train", ("data=adult", "categories=snapped_adult"), (Run, Options)),
    ("train", ("experiment=mnist", "generator=revise"), (Run, Options)),
    ("train", ("data=overlapping", "categories=relaxed"), (Run, Options)),
    ("grid", ("grid=table_a1",), (Run, GridOptions)),
    ("figure", ("experiment=moons",), (Run, FigureOptions)),
    ("evaluate", ("evaluation=full",), (EvaluateOptions,)),
    ("tables", ("table=main",), (TablesOptions,)),
)
"""Commands, options of theirs that have fields of their own, and what they build."""

NAMES = {"train": "run"}
TOLD_APART = ("protocol", "init_from")
"""Ids of protocols, as some look like numbers, so that all are texts; and weights that
a run starts from, which are looked at when everything else is right.
"""

TOLD_OF = {"evaluate": "evaluate.", "tables": "tables."}
"""What comes before a key in the messages of commands that build a single object."""


@dataclass(frozen=True)
class WrongValue:
    """A field with a value that it does not take, and what its message begins with."""

    key: str
    typed: str
    value: Any
    told_of: str
    is_node: bool

    @property
    def word(self) -> str:
        return f"{self.key}={self.typed}"

    def is_told(self, message: str) -> bool:
        """Whether some line says of this field what was expected and what was got."""
        lines = [line.strip() for line in message.splitlines()]
        assert all(": expected " in line for line in lines[len(lines) > 1 :]), message
        return any(
            line.startswith(self.told_of)
            and (f"got {shown(self.value)}" in line or not self.is_repeated)
            for line in lines
        )

    @property
    def is_repeated(self) -> bool:
        """Messages about members of lists and mappings repeat the members only."""
        return not isinstance(self.value, list | dict)


def wrong_values(root: int) -> list[WrongValue]:
    """Wrong values of the fields of a command, those of the roots before it left out.

    Hydra itself refuses a list in the place of a mapping, and a mapping in that of a
    list: these are in the table of words.
    """
    command, words, classes = ROOTS[root]
    values = plain(compose(*words, root=NAMES.get(command, command)))
    before = {f"{command} {key}" for key in TOLD_APART}
    if root > 0 and ROOTS[root][0] == "train":
        before |= {f"train {each.key}" for each in wrong_values(root - 1)}
    found = []
    for cls in classes:
        for key, kind, value in _fields(cls, values, ""):
            # Hydra takes what is typed for a group as an option's name.
            if key in groups() or f"{command} {key}" in before:
                continue
            told_of = f"{TOLD_OF.get(command, '')}{key}"
            is_node = isinstance(value, dict)
            found += [
                WrongValue(key, typed, wrong, told_of, is_node)
                for typed, wrong in _wrong(kind)
            ]
    return found


def batches(found: Sequence[WrongValue]) -> list[list[WrongValue]]:
    """The values in lists that one command can be given at once: each key once, and no
    node together with what is in it.
    """
    made: dict[tuple[int, bool, int], list[WrongValue]] = {}
    seen: dict[str, int] = {}
    for each in found:
        number = seen[each.key] = seen.get(each.key, -1) + 1
        depth = each.key.count(".") if each.is_node else 0
        made.setdefault((number, each.is_node, depth), []).append(each)
    return list(made.values())


def _fields(
    cls: type, values: dict[str, Any], prefix: str
) -> Iterator[tuple[str, Any, Any]]:
    for name, kind in _hints(cls).items():
        value = values.get(name)
        yield f"{prefix}{name}", kind, value
        target = value.get("_target_") if isinstance(value, dict) else None
        if target is not None:
            yield from _fields(class_called(target), value, f"{prefix}{name}.")


def _wrong(kind: Any) -> list[tuple[str, Any]]:
    """Values that an annotation does not take, as they are typed and as they arrive."""
    ranges: tuple[Any, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *ranges = get_args(kind)
    options = (kind,)
    if get_origin(kind) in (Union, types.UnionType):
        options = get_args(kind)
    if Any in options:
        return []
    null = [] if types.NoneType in options else [NULL]
    kinds = [option for option in options if option is not types.NoneType]
    for option in kinds:
        if get_origin(option) is Annotated:
            option, *ranges = get_args(option)
        if option in (int, float):
            whole = [HALF] if option is int else []
            number = [TEXT, TRUE, LIST, MAPPING, NAN, INFINITE, LARGE, EMPTY]
            return [*null, *number, *whole, *_beyond(ranges)]
    (option,) = kinds[:1]
    if option is str:
        return [*null, HALF, TRUE, LIST, MAPPING]
    if option is bool:
        return [*null, TEXT, HALF, LIST, MAPPING, EMPTY]
    if get_origin(option) is Literal:
        taken = {get_origin(each) for each in kinds}
        forms = [] if {tuple, dict} & taken else [LIST, MAPPING]
        return [*null, TEXT, HALF, *forms, EMPTY]
    if get_origin(option) is tuple:
        return [*null, TEXT, HALF, TRUE]
    if get_origin(option) is dict:
        return [*null, TEXT, HALF, TRUE]
    return [*null, TEXT, HALF, MAPPING]


def _beyond(ranges: Sequence[Any]) -> list[tuple[str, Any]]:
    """The numbers next to the ends of ranges, outside."""
    beyond: list[float] = []
    for each in ranges:
        if isinstance(each, AtLeast):
            beyond.append(each.low - 1)
        elif isinstance(each, Above):
            beyond.append(each.low)
        elif isinstance(each, Below):
            beyond.append(each.high)
        elif isinstance(each, Between):
            space = 0.5 if each.closed else 0
            beyond += [each.low - space, each.high + space]
    return [(f"{number}", number) for number in beyond]

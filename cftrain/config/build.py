"""From a composed configuration to frozen objects, checking everything on the way.

Every node names a frozen dataclass of this package, or of a plug-in in use, as
`_target_` and gives all its values. Hydra's own `instantiate` would run any target and
stop at the first mistake; here one pass over the annotations converts, checks ranges
and collects all mistakes.
"""

import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from cftrain.config.hints import chosen_by, closest
from cftrain.config.identity import configured, incidental, later, usual
from cftrain.config.names import class_called, is_path, name_of
from cftrain.config.outside import class_of, is_own
from cftrain.config.pairs import as_mapping
from cftrain.config.plain_values import BAD, build_plain
from cftrain.errors import ConfigError, shown

T = TypeVar("T")

Built = dict[tuple[str, str], Any]
"""The values of fields, by their keys and what they were made of, in one command:
another one may have another working folder or environment.
"""


def build_together(
    values: dict[str, Any],
    classes: Sequence[type],
    relations: Callable[[dict[str, Any]], list[str]],
    *,
    built: Built | None = None,
) -> list[Any]:
    """An object of each class from one node that has the fields of all of them.

    The node's `_target_` names the first class. `relations` finds mistakes between
    fields that are each fine; those that are not are missing in what it gets. Who
    builds many nodes of these classes that share most values keeps what was `built`.
    Raises ConfigError with every mistake: its key, what was expected, what was given.
    """
    done = {} if built is None else built
    values = dict(values)
    target, first = values.pop("_target_", None), classes[0]
    if not isinstance(target, str) or class_called(target) is not first:
        raise ConfigError(f"_target_: expected {name_of(first)!r}, got {shown(target)}")
    mistakes: list[str] = []
    parts: dict[str, Any] = {}
    known = {name: hint for cls in classes for name, hint in _hints(cls).items()}
    _report_unknown(values, known, "", mistakes)
    for key, kind in known.items():
        if key not in values:
            mistakes.append(f"{key}: expected a value, got none")
            continue
        value = (key, repr(values[key]))
        noted: list[str] = []
        found = done[value] if value in done else _build(values[key], kind, key, noted)
        if found is not BAD:
            parts[key] = found
        if not noted:
            done[value] = found
        mistakes.extend(noted)
    mistakes.extend(relations(parts))
    if mistakes:
        raise ConfigError(mistakes)
    return [cls(**{name: parts[name] for name in configured(cls)}) for cls in classes]


def build_object(values: Any, kind: type[T], key: str) -> T:
    """One object of a kind from plain values; `key` is what mistakes call it.

    Raises ConfigError with every mistake.
    """
    mistakes: list[str] = []
    built = _build(values, kind, key, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    assert isinstance(built, kind)
    return built


def _build(value: Any, kind: Any, key: str, mistakes: list[str]) -> Any:
    """A value of the annotated kind, or `BAD` after noting the mistakes."""
    ranges: tuple[Any, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *extras = get_args(kind)
        ranges = tuple(extra for extra in extras if hasattr(extra, "holds"))
    if kind is Any:
        return value
    if get_origin(kind) in (Union, types.UnionType):
        options = get_args(kind)
        if value is None and types.NoneType in options:
            return None
        given = [option for option in options if option is not types.NoneType]
        # A hyperparameter that a stack may hold as a tensor is configured as a float.
        if float not in given:
            return _build_any(value, given, key, mistakes)
        kind = float
    if inspect.isclass(kind) and (is_own(kind) or is_dataclass(kind)):
        return _build_object(value, kind, key, mistakes)
    if get_origin(kind) in (tuple, dict):
        return _build_collection(value, kind, key, mistakes)
    return build_plain(value, kind, ranges, key, mistakes)


def _build_any(value: Any, kinds: list[Any], key: str, mistakes: list[str]) -> Any:
    """A value of the first kind that takes it; else the mistakes of the last, which is
    one whose form the value has, if there is one.
    """
    noted: list[str] = []
    for kind in sorted(kinds, key=lambda k: type(value) is _FORMS.get(get_origin(k))):
        noted = []
        built = _build(value, kind, key, noted)
        if built is not BAD:
            return built
    mistakes.extend(noted)
    return BAD


def _build_object(value: Any, kind: type, key: str, mistakes: list[str]) -> Any:
    target = value.get("_target_") if isinstance(value, dict) else None
    cls, wrong = class_of(target, kind)
    if cls is None or not issubclass(cls, kind):
        mistakes.append(
            f"{key}: expected a node whose _target_ is a {kind.__name__} of cftrain, "
            f"got {shown(target if target is not None else value)}"
            f"{wrong or chosen_by(value, key)}"
        )
        return BAD
    given = {name: item for name, item in value.items() if name != "_target_"}
    hints = _hints(cls)
    _report_unknown(given, hints, f"{key}.", mistakes)
    built = {}
    places = incidental(cls)
    # Files give every value; what was stored under a registered name may be older.
    new = {} if is_path(str(target)) else later(cls)
    left_out = usual(cls)
    for name, hint in hints.items():
        if name not in given and name in places:
            built[name] = places[name].today()
        elif name not in given and name in new:
            built[name] = new[name].neutral
        elif name not in given and name in left_out:
            usually = left_out[name].value
            built[name] = _build(usually, hint, f"{key}.{name}", mistakes)
        elif name not in given:
            mistakes.append(f"{key}.{name}: expected a value, got none")
            built[name] = BAD
        else:
            built[name] = _build(given[name], hint, f"{key}.{name}", mistakes)
    if any(item is BAD for item in built.values()):
        return BAD
    try:
        return cls(**built)
    except ConfigError as error:  # relations between the object's own values
        mistakes.extend(error.mistakes)
        return BAD
    except Exception as error:
        if is_own(cls):
            raise
        mistakes.append(f"{key}: {name_of(cls)} raised {type(error).__name__}: {error}")
        return BAD


def _build_collection(value: Any, kind: Any, key: str, mistakes: list[str]) -> Any:
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        value = as_mapping(value)
        if not isinstance(value, dict):
            mistakes.append(f"{key}: expected a mapping, got {shown(value)}")
            return BAD
        items = {
            name: _build(item, arguments[1], f"{key}.{name}", mistakes)
            for name, item in value.items()
        }
        return BAD if any(item is BAD for item in items.values()) else items
    open_ended = arguments[-1] is Ellipsis
    if not isinstance(value, list) or not (open_ended or len(value) == len(arguments)):
        count = "" if open_ended else f" of {len(arguments)}"
        mistakes.append(f"{key}: expected a list{count}, got {shown(value)}")
        return BAD
    kinds = [arguments[0]] * len(value) if open_ended else arguments
    built = tuple(
        _build(item, item_kind, f"{key}.{place}", mistakes)
        for place, (item, item_kind) in enumerate(zip(value, kinds, strict=True))
    )
    return BAD if any(item is BAD for item in built) else built


_FORMS = {tuple: list, dict: dict, Literal: str}
"""What values of a kind are in a file."""


@cache
def _hints(cls: Any) -> dict[str, Any]:
    """Annotations of the configured fields, ranges included."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hints[name] for name in configured(cls)}


def _report_unknown(
    values: dict[str, Any], known: dict[str, Any], prefix: str, mistakes: list[str]
) -> None:
    for key in values:
        if key not in known:
            mistakes.append(
                f"{prefix}{key}: expected one of {', '.join(known)}"
                f"{closest(key, tuple(known))}, got an unknown key"
            )

"""What a configuration can say to the constructor of a network, or to a function."""

import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from torch import nn

from cftrain.config.ranges import Usual
from cftrain.errors import ConfigError

Factory = Callable[..., nn.Module]

TOLD = ("name", "features", "classes", "row_shape")
"""Parameters of a network that are given to it where it has them, and are no keys."""

PLAIN = (bool, int, float, str)

_UNFIT = object()


def is_network(found: object) -> bool:
    """Whether something is a class of networks, or a function that says that it returns
    one.
    """
    if isinstance(found, type):
        return issubclass(found, nn.Module)
    if not isinstance(found, types.FunctionType):
        return False
    try:
        made = get_type_hints(found).get("return")
    except Exception:  # whatever annotations that cannot be read raise
        return False
    return isinstance(made, type) and issubclass(made, nn.Module)


def called(factory: Factory) -> str:
    """Returns the path of a network's class."""
    return f"{factory.__module__}.{factory.__qualname__}"


def keys_of(factory: Factory) -> Iterator[tuple[str, Any, bool]]:
    """Yields name and kind of each parameter, and whether it is wanted as a list.

    Raises ConfigError for one that no file can give and that has no default.
    """
    made = factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]
    try:
        hints = get_type_hints(made, include_extras=True)
        parameters = inspect.signature(factory).parameters.values()
    except Exception as error:  # whatever annotations that cannot be read raise
        raise ConfigError(
            f"model: expected parameters of {called(factory)} that can be read, got "
            f"{type(error).__name__}: {error}"
        ) from error
    for each in parameters:
        if each.name in TOLD or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        hint = hints.get(each.name, Any)
        kind = _kind(hint)
        absent = each.default is each.empty
        usual = None if absent else _configured(each.default)
        unfit = kind is None or each.kind is each.POSITIONAL_ONLY or usual is _UNFIT
        if unfit and absent:
            raise ConfigError(
                f"model: expected parameters of {called(factory)} that are numbers, "
                f"texts, truth values or lists of them, got {each.name}: {hint}"
            )
        if unfit:
            continue  # it keeps its default
        listed = get_origin(hint) in (list, Sequence)
        yield each.name, kind if absent else Annotated[kind, Usual(usual)], listed


def _configured(value: Any) -> Any:
    """A default as a file has it."""
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, list | tuple):
        items = [_configured(item) for item in value]
        return _UNFIT if _UNFIT in items else items
    return _UNFIT


def _kind(hint: Any) -> Any:
    """The kind of value that a configuration can give, None if there is none."""
    if hint is Any or hint in PLAIN or hint is types.NoneType:
        return hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return hint
    if origin is Annotated:
        inner = _kind(arguments[0])
        return None if inner is None else Annotated[inner, *arguments[1:]]
    if hint in (list, tuple, Sequence):
        return tuple[Any, ...]
    if origin in (list, Sequence):
        inner = _kind(arguments[0])
        return None if inner is None else _tuple_of(inner, ...)
    if origin is tuple:
        kinds = [a if a is Ellipsis else _kind(a) for a in arguments]
        return None if None in kinds else _tuple_of(*kinds)
    if origin in (Union, types.UnionType):
        kinds = [_kind(argument) for argument in arguments]
        return None if None in kinds else Union[*kinds]
    return None


def _tuple_of(*kinds: Any) -> Any:
    return tuple.__class_getitem__(kinds)

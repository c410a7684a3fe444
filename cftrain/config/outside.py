"""What a class from elsewhere has to be, and what is said of one that is not that."""

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

from cftrain.config.names import adopted, class_called, found_at, is_path
from cftrain.config.plugins import OPTION, plugin_of, plugins
from cftrain.errors import ConfigError


def is_own(cls: type) -> bool:
    """Whether a class is one of cftrain."""
    return cls.__module__.startswith("cftrain.")


def all_own(*objects: object) -> bool:
    """Whether no object is of a class from elsewhere, which may keep something while it
    works.
    """
    return all(is_own(type(each)) for each in objects)


def class_of(target: object, kind: type) -> tuple[Any, str]:
    """Returns the class that a node names where one of a kind is expected, None if
    there is none, with what is wrong with it as the end of a message.
    """
    try:
        found = adopted(target, kind)
    except ConfigError as error:
        return None, f" ({error})"
    if found is not None:
        return found, ""
    wrong = fault(target)
    own = class_called(target) if isinstance(target, str) and not wrong else None
    return own, wrong


def fault(target: object) -> str:
    """Returns what is wrong with a class from elsewhere that a node names, as the end
    of a message; "" for one of cftrain and for one that is as it should be.
    """
    if not isinstance(target, str) or not is_outside(target):
        return ""
    package = _package(target)
    if package is None:
        named = target.partition(":" if ":" in target else ".")[0]
        return (
            f" ({named} is no plug-in in use: install it as one, or say {OPTION} "
            f"{named} if you trust it)"
        )
    try:
        found = found_at(target)
    except ConfigError as error:
        return f" ({error})"
    if found is None:
        return f" (plug-in {package} has no such class)"
    lacking = next(_lacking(found), "")
    return f" (expected {lacking})" if lacking else ""


def is_outside(target: str) -> bool:
    """Whether a name or a path is not of cftrain, and may be of a plug-in."""
    return ":" in target or (is_path(target) and not target.startswith("cftrain."))


def _package(target: str) -> str | None:
    """The plug-in in use that a name or a path is of."""
    if ":" in target:
        name = target.rpartition(":")[0]
        return name if name in plugins() else None
    found = plugin_of(target.rpartition(".")[0])
    return None if found is None else found.name


def _lacking(found: Any) -> Iterator[str]:
    """What a class should be and is not."""
    if not isinstance(found, type):
        yield f"a class, got a {type(found).__name__}"
        return
    parameters = vars(found).get("__dataclass_params__")
    if parameters is None or not parameters.frozen:
        yield "a frozen dataclass: @dataclass(frozen=True, kw_only=True)"
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        yield f"a class that defines {missing}"
    if "registered_name" not in vars(found):
        package = found.__module__.partition(".")[0]
        yield f"a registered name: @named('{package}:...') above it"
    try:
        get_type_hints(found, include_extras=True)
    except Exception as error:
        yield f"annotations that can be read, got {type(error).__name__}: {error}"

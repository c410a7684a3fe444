"""The words of commands that need no configuration: a folder, then keys and values."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from cftrain.commands.command_line.lines import is_folder
from cftrain.config.build import build_object
from cftrain.errors import ConfigError

Options = TypeVar("Options")

CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


def read_words(
    arguments: Sequence[str],
    options: type[Options],
    defaults: Mapping[str, Any],
    *,
    then: tuple[str, ...] = (),
) -> tuple[Path, Options]:
    """Returns the folder of `cftrain verify FOLDER [key=value ...]`, and its options.

    `options` is a frozen dataclass whose annotations say what may be given, `defaults`
    has a value for each of its fields but those of `then`, whose values are the words
    after the folder. Raises ConfigError with every mistake, and SystemExit after the
    help that was asked for.
    """
    command = options.__module__.rpartition(".")[2]
    usage = _usage(command, defaults, then)
    if set(arguments) & {"-h", "--help"}:
        print(f"usage: {usage}")
        raise SystemExit(0)
    if not arguments or not is_folder(arguments[0]):
        got = arguments[0] if arguments else "nothing"
        raise ConfigError(
            f"expected a folder with results first, as in {usage}, got {got!r}"
        )
    after, pairs = arguments[1 : len(then) + 1], arguments[len(then) + 1 :]
    if len(after) < len(then) or not all(map(is_folder, after)):
        got = " ".join(after) or "nothing"
        raise ConfigError(
            f"expected {' '.join(then)} after it, as in {usage}, got {got!r}"
        )
    target = f"{options.__module__}.{options.__qualname__}"
    values = {"_target_": target, **defaults, **_given(pairs, options, usage)}
    values |= dict(zip(then, after, strict=True))
    built, folder = build_object(values, options, command), Path(arguments[0])
    if not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder with results, got none")
    return folder, built


def _usage(command: str, defaults: Mapping[str, Any], then: tuple[str, ...]) -> str:
    words = {str(constant): word for word, constant in CONSTANTS.items()}
    pairs = [
        f"[{key}={words.get(str(value), value)}]" for key, value in defaults.items()
    ]
    return " ".join([f"cftrain {command} FOLDER", *map(str.upper, then), *pairs])


def _given(words: Sequence[str], options: type, usage: str) -> dict[str, Any]:
    """The values of `key=value`. Raises ConfigError for words that are none."""
    given = {}
    hints = get_type_hints(options)
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key.startswith("-"):
            raise ConfigError(f"expected {usage}, got {word!r}")
        given[key] = _value(text, is_text=_is_text(hints.get(key)))
    return given


def _is_text(hint: Any) -> bool:
    """Whether an option is a text, and stays one that looks like a number."""
    return hint is str or set(get_args(hint)) == {str, NoneType}


def _value(text: str, *, is_text: bool) -> Any:
    if is_text:
        return None if text == "null" else text
    if text in CONSTANTS:
        return CONSTANTS[text]
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text

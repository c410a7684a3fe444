"""The words of commands that need no configuration: a folder, then keys and values."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from cftrain.commands.lines import is_folder
from cftrain.config.build import build_object
from cftrain.errors import ConfigError

Options = TypeVar("Options")

CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


def read_words(
    arguments: Sequence[str], options: type[Options], defaults: Mapping[str, Any]
) -> tuple[Path, Options]:
    """Returns the folder of `cftrain verify FOLDER [key=value ...]`, and its options.

    `options` is a frozen dataclass whose annotations say what may be given, `defaults`
    has a value for each of its fields. Raises ConfigError with every mistake, and
    SystemExit after the help that was asked for.
    """
    command = options.__module__.rpartition(".")[2]
    usage = f"cftrain {command} FOLDER" + "".join(
        f" [{key}={value}]" for key, value in defaults.items()
    )
    if set(arguments) & {"-h", "--help"}:
        print(f"usage: {usage}")
        raise SystemExit(0)
    if not arguments or not is_folder(arguments[0]):
        got = arguments[0] if arguments else "nothing"
        raise ConfigError(f"cftrain {command}: expected {usage}, got {got!r} first")
    given = dict(_pair(word, usage) for word in arguments[1:])
    target = f"{options.__module__}.{options.__qualname__}"
    values = {"_target_": target, **defaults, **given}
    built, folder = build_object(values, options, command), Path(arguments[0])
    if not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder with results, got none")
    return folder, built


def _pair(word: str, usage: str) -> tuple[str, Any]:
    """A key and its value. Raises ConfigError."""
    key, equals, text = word.partition("=")
    if not equals or key.startswith("-"):
        raise ConfigError(f"expected {usage}, got {word!r}")
    return key, _value(text)


def _value(text: str) -> Any:
    if text in CONSTANTS:
        return CONSTANTS[text]
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text

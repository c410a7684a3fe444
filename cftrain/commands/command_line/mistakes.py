"""How errors are told on the command line: what was expected, what was given."""

import difflib
import re
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hydra.errors import (
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import OmegaConfBaseException

from cftrain.config.plugins import plugin_of
from cftrain.errors import CftrainError, ConfigError, is_out_of_memory, shown

UNKNOWN_KEY = re.compile(r"Could not (override|delete|delete from config\.) '([^']+)'")
"""How Hydra's messages begin; what follows are hints that seldom help."""

NULL_GROUP = "Config group override must be a string or a list"
"""How Hydra's message begins that does not name the group."""


@dataclass(frozen=True)
class UnknownKey:
    """A key that was given and that the configuration does not have."""

    name: str

    def message(self, known: Sequence[str]) -> str:
        """Returns what to tell the user: `known` may have what was meant."""
        ending = self.name.rpartition(".")[2]
        same = [other for other in known if other.rpartition(".")[2] == ending]
        close = same or difflib.get_close_matches(self.name, known, n=1)
        meant = " or ".join(map(repr, close[:3]))
        return (
            f"{self.name}: expected a key or group of the configuration"
            f"{f' (did you mean {meant}?)' if meant else ''}, got an unknown one; "
            "--cfg job shows them all"
        )


def unknown_key(error: Exception) -> UnknownKey | None:
    """Returns the key that Hydra's error is about, if it is one of unknown keys."""
    found = UNKNOWN_KEY.match(str(error))
    return None if found is None else UnknownKey(found[2])


def explanation(error: Exception) -> str | None:
    """Returns what to tell the user; None for errors that are ours."""
    if isinstance(error, ConfigError) and len(error.mistakes) > 1:
        listed = "\n".join(f"  {mistake}" for mistake in error.mistakes)
        return f"{len(error.mistakes)} mistakes in the configuration:\n{listed}"
    if isinstance(error, CftrainError):
        return str(error)
    if isinstance(error, MissingConfigException) and error.options:
        return _unknown_option(str(error.missing_cfg_file), error.options)
    if isinstance(error, OverrideParseException):
        return _unreadable_override(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _not_composed(error)
    if is_out_of_memory(error):
        return f"expected enough memory for what was asked, got: {_line(error)}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


def logged(error: Exception) -> str:
    """Returns one line about an error of a program, and where its traceback is.

    It must not fail itself: the error may refuse to be shown, and the disk to be used.
    """
    what = f"an error of {_whose(error)}, {type(error).__name__}: {_line(error)}"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="cftrain-",
            suffix=".log",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.writelines(traceback.format_exception(error))
    except OSError as reason:
        return (
            f"{what}; its traceback could not be written ({reason.strerror or reason}),"
            " HYDRA_FULL_ERROR=1 shows it"
        )
    return f"{what}; its traceback is in {file.name}"


def _whose(error: BaseException) -> str:
    """Whose code has raised an error, or has called what raised it."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    modules = [str(frame.f_globals.get("__name__")) for frame in frames]
    with suppress(CftrainError):
        found = [plugin.name for m in modules if (plugin := plugin_of(m)) is not None]
        return f"plug-in {found[-1]}" if found else "cftrain itself"
    return "cftrain itself"


def null_group(error: Exception, words: Sequence[str], groups: set[str]) -> str | None:
    """Returns what to tell of a group of options that was set to null; else None."""
    if not str(error).startswith(NULL_GROUP):
        return None
    for word in words:
        key, _, value = word.partition("=")
        if value == "null" and key in groups:
            return (
                f"{key}: expected the name of an option, got null"
                f"{' (did you mean compare=none?)' if key == 'compare' else ''}"
            )
    return None


def _unreadable_override(error: OverrideParseException) -> str:
    """Without the parser's own terms: where in the word it gave up tells enough."""
    word = str(error.override)
    if "=" not in word and not word.startswith("~"):
        return f"expected overrides of the form key=value, got {shown(word)}"
    key, _, value = word.partition("=")
    quoted = "quote texts with special signs: \"key='a text'\""
    if value.startswith("{"):  # its names cannot be quoted
        quoted = (
            "where a name has special signs, give pairs: "
            "\"key=[['a name', value], ...]\""
        )
    return f"{key}: expected a value in Hydra's grammar ({quoted}), got {shown(word)}"


def _not_composed(error: Exception) -> str:
    """What Hydra or OmegaConf say, after the key that they say it of."""
    key = getattr(error, "full_key", None)
    said = getattr(error, "msg", None) or str(error)
    said = "; ".join(line.strip() for line in said.splitlines() if line.strip())
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException):
        key = key or cause.full_key
        said = f"{said}: {_line(cause)}"
    where = f"{key}: " if key else ""
    return f"{where}expected a configuration that can be composed, got: {said}"


def _line(error: BaseException) -> str:
    """The first line of an error, even of one that cannot be shown."""
    try:
        lines = str(error).splitlines()
    except Exception:
        return "an error that cannot be shown"
    return lines[0] if lines else "no message"


def _unknown_option(option: str, known: Sequence[str]) -> str:
    """For `table/mian`: what there is of the group, and what may be meant."""
    close = difflib.get_close_matches(option.rpartition("/")[2], known)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{option}: expected one of {', '.join(known)}{meant}, got no such file"

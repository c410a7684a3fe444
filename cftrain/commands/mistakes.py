"""How errors are told on the command line: what was expected, what was given."""

import difflib
import re
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from cftrain.errors import CftrainError, ConfigError

UNKNOWN_KEY = re.compile(r"Could not (override|delete|delete from config\.) '([^']+)'")
"""How Hydra's messages begin; what follows are hints that seldom help."""


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
    if isinstance(error, HydraException | OmegaConfBaseException):
        causes = [error, error.__cause__]
        return "\n  ".join(str(cause).strip() for cause in causes if cause is not None)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


def logged(error: Exception) -> str:
    """Returns one line about an error that is ours, and where its traceback is."""
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    with tempfile.NamedTemporaryFile(
        "w", prefix="cftrain-", suffix=".log", delete=False
    ) as file:
        file.writelines(traceback.format_exception(error))
    return f"an error of cftrain itself, {what}; its traceback is in {file.name}"


def _unknown_option(option: str, known: Sequence[str]) -> str:
    """For `table/mian`: what there is of the group, and what may be meant."""
    close = difflib.get_close_matches(option.rpartition("/")[2], known)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{option}: expected one of {', '.join(known)}{meant}, got no such file"

"""What can go wrong at the boundary; messages say what was expected and received."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


class CftrainError(Exception):
    """Anything the user can mend; the command line prints it and exits with 2."""


class ConfigError(CftrainError, ValueError):
    """Mistakes in a configuration, all of them at once."""

    def __init__(self, mistakes: Sequence[str] | str) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, str) else tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class DataError(CftrainError, ValueError):
    """A table that is missing, damaged or not what its specification says."""


class ModelError(CftrainError, ValueError):
    """A network that is not a classifier of the rows that it is given."""


class ArgumentError(CftrainError, TypeError):
    """An argument, or what a network returns, of another type than is needed."""


class ExtraError(CftrainError, ImportError):
    """A part that needs a package which a plain install does not bring."""


class StackError(CftrainError, ValueError):
    """Runs that cannot be trained together."""


class ResultError(CftrainError, RuntimeError):
    """Results that cannot be written, read or compared."""


class WeightsError(ResultError):
    """Stored weights that are missing, damaged or those of another model."""


MOST_MISTAKES = 20
"""Of one file that are told."""


@dataclass(kw_only=True)
class Mistakes:
    """What is wrong with a file: the first mistakes are told, all are counted.

    `where` is how the file is called, None if each mistake says it.
    """

    where: str | None
    told: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, mistakes: Iterable[str]) -> None:
        for mistake in mistakes:
            self.count += 1
            if len(self.told) < MOST_MISTAKES:
                self.told.append(self._located(mistake))

    def refuse(self) -> None:
        """Raises DataError if there is any."""
        more = self.count - len(self.told)
        if self.count:
            rest = [self._located(f"and {more} more")] * (more > 0)
            raise DataError("\n".join([*self.told, *rest]))

    def _located(self, text: str) -> str:
        return text if self.where is None else f"{self.where}: {text}"


MEMORY_SIGNS = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "Storage size calculation overflowed",
    "cannot allocate",
)
"""What torch says, in errors of no class of their own, where memory ends."""

LONGEST_SHOWN = 200
"""Characters of a value that a message repeats."""

STEERING = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""Signs that move the cursor, colour, delete, or turn the direction of a text."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        sign in str(error) for sign in MEMORY_SIGNS
    )


def shown(value: object) -> str:
    """Returns a value as messages repeat it: its beginning and end if it is long."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # too deep, or a number of too many digits
        text = f"a {type(value).__name__} that is too large to be shown"
    if len(text) <= LONGEST_SHOWN:
        return text
    half = LONGEST_SHOWN // 2
    return f"{text[:half]}...{text[-half:]} ({len(text)} characters)"


def printable(text: str) -> str:
    """Returns a text in which no sign tells a terminal what to do: each such sign is
    written as in JSON, so that JSON stays what it is.
    """
    return STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def warn(message: str) -> None:
    """One line for the user about something that does not stop the program.

    Workers of a grid say it on streams of their own, so it is made printable here.
    """
    text = printable(f"cftrain: warning: {message}")
    print(text, file=sys.stderr, flush=True)

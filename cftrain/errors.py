"""What can go wrong at the boundary; messages say what was expected and received."""

import sys
from collections.abc import Sequence


class CftrainError(Exception):
    """Anything the user can mend; the command line prints it and exits with 2."""


class ConfigError(CftrainError, ValueError):
    """Mistakes in a configuration, all of them at once."""

    def __init__(self, mistakes: Sequence[str] | str) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, str) else tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class DataError(CftrainError, ValueError):
    """A table that is missing, damaged or not what its specification says."""


class StackError(CftrainError, ValueError):
    """Runs that cannot be trained together."""


class ResultError(CftrainError, RuntimeError):
    """Results that cannot be written, read or compared."""


class WeightsError(ResultError):
    """Stored weights that are missing, damaged or those of another model."""


def warn(message: str) -> None:
    """One line for the user about something that does not stop the program."""
    print(f"cftrain: warning: {message}", file=sys.stderr, flush=True)

"""Whose doing an error is: the machine's, that of files, or the cell's own.

What the machine does is never a result, and neither is what the files of data and
weights are today: such cells stay to be done. What is left follows from the
configuration and would happen again, so it is noted as the failure of its cell.
"""

from collections.abc import Iterator

import pyarrow as pa
from safetensors import SafetensorError

from cftrain.errors import (
    CftrainError,
    DataError,
    ResultError,
    WeightsError,
    is_out_of_memory,
)

BROKEN_DEVICE = ("CUDA error", "cuDNN error", "can't start new thread")
"""What torch says of the machine, in errors of no class of their own."""


class FilesError(DataError):
    """Data that cannot be loaded here, or that are others than was planned."""


def lacks_memory(error: BaseException) -> bool:
    """Whether fewer cells at once might do."""
    return any(map(is_out_of_memory, _causes(error)))


def is_of_files(error: BaseException) -> bool:
    """Whether data or weights are not what they should be, as far as they are read."""
    if isinstance(error, WeightsError):
        return True
    return isinstance(error, FilesError) and not is_of_the_machine(error)


def is_of_the_machine(error: BaseException) -> bool:
    """Whether no cell could do better: the disk is full or cannot be read, say."""
    if isinstance(error, WeightsError):
        return False
    return lacks_memory(error) or any(
        isinstance(cause, ResultError | OSError | pa.ArrowException | SafetensorError)
        or (
            isinstance(cause, RuntimeError)
            and any(word in str(cause) for word in BROKEN_DEVICE)
        )
        for cause in _causes(error)
    )


def reason_of(error: Exception) -> str:
    """What is told of the cell that it belongs to."""
    if isinstance(error, CftrainError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__

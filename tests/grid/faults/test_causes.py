import errno

import pyarrow as pa
import pytest
from safetensors import SafetensorError

from cftrain.errors import DataError, ResultError, StackError, WeightsError
from cftrain.grid.faults.causes import (
    FilesError,
    is_of_files,
    is_of_the_machine,
    lacks_memory,
    reason_of,
)

FULL = OSError(errno.ENOSPC, "No space left on device")
ALLOCATOR = "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate"


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(f"{ALLOCATOR} memory: you tried to allocate 80000000000 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        raised_from(DataError("mnist: expected rows"), MemoryError()),
    ],
)
def test_what_fewer_cells_at_once_may_mend(error):
    assert lacks_memory(error)
    assert is_of_the_machine(error)
    assert not is_of_files(error)


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        FileNotFoundError(2, "No such file"),
        ResultError("cells: could not be written"),
        SafetensorError("I/O error"),
        RuntimeError("CUDA error: unspecified launch failure"),
        raised_from(FilesError("mnist: expected a readable file"), FULL),
        raised_from(
            FilesError("again"), raised_from(DataError("table"), pa.ArrowInvalid("end"))
        ),
    ],
)
def test_what_no_cell_could_do_better(error):
    assert is_of_the_machine(error)
    assert not lacks_memory(error)
    assert not is_of_files(error)


@pytest.mark.parametrize(
    "error", [FilesError("other data"), raised_from(WeightsError("damaged"), FULL)]
)
def test_what_is_due_to_files_of_data_and_weights(error):
    assert is_of_files(error)
    assert not is_of_the_machine(error)


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division by zero"),
        RuntimeError("a metric that breaks"),
        StackError("runs differ"),
        DataError("vae: expected a finite loss, got nan"),
    ],
)
def test_what_would_happen_again(error):
    assert not is_of_the_machine(error)
    assert not is_of_files(error)


def test_our_own_messages_need_no_name():
    assert reason_of(StackError("runs differ")) == "runs differ"
    assert reason_of(KeyError("x")) == "KeyError: 'x'"

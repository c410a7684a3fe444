"""How far the cells of a grid are, and which ones failed, while workers are at them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cftrain.commands.command_line.progress import Progress
from cftrain.commands.command_line.recording import Recording
from cftrain.grid.worker import Outcome


@contextmanager
def cells_told(
    what: str, total: int, said: Recording
) -> Iterator[Callable[[Outcome], None]]:
    """Hands out what is to be called with the outcome of each task; a cell that failed
    is logged at once.
    """
    done = failed = 0
    with Progress(what, "cell", said) as progress:

        def tell(outcome: Outcome) -> None:
            nonlocal done, failed
            for cell, reason in outcome.failed.items():
                said.write(f"failed: cell {cell}: {reason}")
            done += outcome.done + len(outcome.failed)
            failed += len(outcome.failed)
            progress.update(done, total, f"failed {failed}" if failed else "")

        yield tell

"""How far something is: a bar on a terminal, else a line every tenth."""

import shutil
import sys
import time
from types import TracebackType

from tqdm import tqdm

from cftrain.commands.command_line.recording import Recording
from cftrain.training.history import EpochRecord

WIDTH = 80
BAR = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {remaining}{postfix}"
TENTHS = 10
QUIET_SECONDS = 5.0
"""Without a terminal, lines are at least so far apart: what is quick says nothing."""


class Progress:
    """A bar about `what`, in so many steps of a `unit`; every tenth is logged.

    Of several cells that go on together, the first one is told.
    """

    def __init__(self, what: str, unit: str, recording: Recording) -> None:
        self._what, self._unit = what, unit
        self._recording = recording
        self._bar: tqdm[None] | None = None
        self._tenth = 0
        self._begun = self._last = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def epoch(self, done: int, total: int, record: EpochRecord) -> None:
        """Tell of an epoch: how good the model is by now, then how it got there."""
        shown = {
            "val": record.validation_accuracy,
            "loss": record.loss,
            "mature": record.mature_share,
        }
        told = [f"{name} {float(value[0]):.3g}" for name, value in shown.items()]
        self.update(done, total, " ".join(word for word in told if "nan" not in word))

    def update(self, done: int, total: int, told: str = "") -> None:
        """Tell that so many steps are done. A smaller number begins anew."""
        if self._bar is None or self._bar.total != total:
            self._bar = self._new_bar(total)
        self._bar.set_postfix_str(told, refresh=False)
        self._bar.update(done - self._bar.n)
        tenth = TENTHS * done // total
        if tenth != self._tenth:
            self._tenth = tenth
            self._say(done, total, told)

    def _new_bar(self, total: int) -> "tqdm[None]":
        if self._bar is not None:
            self._bar.close()
        return tqdm(
            total=total,
            desc=self._what,
            file=self._recording.terminal,
            disable=None,
            bar_format=BAR,
            ncols=min(WIDTH, shutil.get_terminal_size().columns) - 1,
        )

    def _say(self, done: int, total: int, told: str) -> None:
        now = time.monotonic()
        about = f", {told}" if told else ""
        line = (
            f"{self._what}: {self._unit} {done} of {total}{about}, "
            f"{now - self._begun:.0f} s"
        )
        if not self._recording.terminal.isatty() and now - self._last > QUIET_SECONDS:
            self._last = now
            print(line, file=sys.stderr, flush=True)  # which is recorded
        else:
            self._recording.write(line)

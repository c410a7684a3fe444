"""Where raw tables come from: folders of Parquet files, then OpenML, then a cache.

A network attempt ends after seconds, also where a host swallows packets: every wait
is bounded by the socket timeout and the first one by a thread that is left behind.
"""

import hashlib
import importlib.util
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Annotated, Any

import numpy as np
import pandas as pd
import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from cftrain.config.ranges import Incidental, PositiveFloat
from cftrain.data.tables.unfolding import MOST_MEMORY, check_memory
from cftrain.errors import DataError
from cftrain.results.writing import replacing

Root = Annotated[
    str | None, Incidental(today=lambda: os.environ.get("CFTRAIN_DATA") or None)
]
"""A folder with Parquet files, looked at before the cache."""

NetworkTimeout = Annotated[PositiveFloat, Incidental(today=lambda: 5.0)]
"""Seconds without an answer after which a download is given up."""

OPENML_HOST = ("api.openml.org", 443)
DOWNLOAD_LIMIT_SECONDS = 900.0


class Unavailable(Exception):
    """A source that did not answer, with the reason."""


def cache() -> Path:
    return Path(platformdirs.user_cache_dir("cftrain"))


def folders(root: str | None) -> tuple[Path, ...]:
    """Returns the folders to look in: `data.root`, then the user's cache.

    Raises DataError if a root is given that is no folder.
    """
    if not root:  # an empty variable is as good as none
        return (cache(),)
    if not Path(root).is_dir():
        raise DataError(
            f"data.root (or $CFTRAIN_DATA): expected a folder, got {root!r}"
        )
    return Path(root), cache()


@dataclass(frozen=True)
class File:
    """A file whose bytes were read once: what is hashed is what is parsed."""

    path: Path
    content: bytes


def read_file(path: Path, most: float = MOST_MEMORY) -> File:
    """Returns a file with its content. Raises DataError, also for one of more GiB."""
    try:
        check_memory(path.stat().st_size, most)
        return File(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, got {error}") from error


def fingerprint(files: Iterable[File]) -> str:
    """Returns a hash of the contents of files, one after the other."""
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(file.content)
    return digest.hexdigest()


def keep(table: pa.Table, name: str) -> None:
    """Writes a table to the cache under a temporary name, then renames it.

    Raises Unavailable if the cache cannot be written.
    """
    try:
        with replacing(cache() / name) as partial:
            pq.write_table(table, partial, compression="zstd")
    except OSError as error:
        raise Unavailable(f"the cache cannot be written: {error}") from error


def checksum(values: np.ndarray, labels: np.ndarray) -> str:
    """Returns the SHA-256 of a table's bytes, whatever the file that carried it."""
    digest = hashlib.sha256(np.ascontiguousarray(values).tobytes())
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()


def fetch_openml(
    data_id: int, version: int, *, timeout_seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns features and whole labels of an OpenML table. Raises Unavailable."""
    bunch = _bunch(data_id, version, timeout_seconds, as_frame=False)
    try:
        labels = np.asarray(bunch.target).astype(np.int64)
        return np.asarray(bunch.data, np.uint8), labels
    except (TypeError, ValueError) as error:
        raise Unavailable(
            f"OpenML table {data_id}: expected numbers, got {error}"
        ) from error


def fetch_openml_frame(
    data_id: int, version: int | None, *, timeout_seconds: float
) -> pd.DataFrame:
    """Returns an OpenML table, of any version if none is given. Raises Unavailable."""
    return _bunch(data_id, version, timeout_seconds, as_frame=True).frame


def _bunch(
    data_id: int, version: int | None, timeout_seconds: float, *, as_frame: bool
) -> Any:
    if importlib.util.find_spec("sklearn") is None:
        raise Unavailable(
            "downloads need scikit-learn, which pip install 'cftrain[openml]' adds"
        )
    with_deadline(
        lambda: socket.create_connection(OPENML_HOST, timeout_seconds).close(),
        timeout_seconds,
    )
    print(f"cftrain: downloading OpenML table {data_id}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        bunch = with_deadline(
            lambda: _fetch(data_id, timeout_seconds, folder, as_frame=as_frame),
            DOWNLOAD_LIMIT_SECONDS,
            watched=Path(folder),
        )
    if version is not None and str(bunch.details.get("version")) != str(version):
        raise Unavailable(
            f"OpenML table {data_id}: expected version {version}, got "
            f"{bunch.details.get('version')}"
        )
    return bunch


def _fetch(data_id: int, timeout_seconds: float, folder: str, *, as_frame: bool) -> Any:
    from sklearn.datasets import fetch_openml as sklearn_fetch

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_seconds)
    try:
        return sklearn_fetch(
            data_id=data_id, as_frame=as_frame, data_home=folder, n_retries=1
        )
    finally:
        socket.setdefaulttimeout(before)


def with_deadline(work: Any, seconds: float, watched: Path | None = None) -> Any:
    """Returns the result of `work`, in a thread that is abandoned at the deadline.

    Name look-ups have no timeout of their own, hence the thread. A bar shows the
    bytes in the watched folder. Raises Unavailable if the work fails or is late.
    """
    answers: Queue[tuple[Any, Exception | None]] = Queue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except Exception as error:  # any failure means: not to be had from here
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    step = 0.2
    with tqdm(unit="B", unit_scale=True, disable=watched is None) as bar:
        for _ in range(max(1, round(seconds / step))):
            try:
                result, error = answers.get(timeout=step)
            except Empty:
                if watched is not None:
                    bar.update(_bytes_in(watched) - bar.n)
                continue
            if error is not None:
                raise Unavailable(f"{type(error).__name__}: {error}") from error
            return result
    raise Unavailable(f"no answer within {seconds:g} seconds")


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

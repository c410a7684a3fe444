"""Time and memory of a published grid: 270 models, trained and evaluated.

The authors' runs of these grids took 49 minutes (Moons) to almost 4 hours (overlapping)
on 34 CPUs, for training alone.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["moons"])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parser.parse_args()
    print("gen_params, dedupe=false: 270 cells")
    print("data                workers   wall s   CPU s   CPU s per cell   restart s")
    for data in arguments.data:
        for workers in arguments.workers:
            with tempfile.TemporaryDirectory() as folder:
                wall, cpu = _timed(data, workers, arguments.epochs, Path(folder))
                again, _ = _timed(data, workers, arguments.epochs, Path(folder))
            print(
                f"{data:19s} {workers:7d} {wall:8.1f} {cpu:7.1f} {cpu / 270:16.2f}"
                f" {again:11.1f}",
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the largest process: {peak:.0f} MiB")


def _timed(data: str, workers: int, epochs: int, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of the grid, all its processes together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "cftrain",
            "grid",
            "grid=gen_params",
            f"data={data}",
            f"workers={workers}",
            f"schedule.epochs={epochs}",
            "dedupe=false",
            f"hydra.run.dir={folder}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(
        getattr(after, kind) - getattr(before, kind)
        for kind in ("ru_utime", "ru_stime")
    )
    return wall, cpu


if __name__ == "__main__":
    main()

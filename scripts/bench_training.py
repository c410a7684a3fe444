"""CPU seconds to train one published cell on Moons, by the width of its stack.

The authors' own implementation needs about 370 CPU seconds for such a cell (34 CPUs for
49 minutes for 270 cells), on other hardware and with its bookkeeping: read the ratio as
an order of magnitude.
"""

import argparse
import time

import torch
from setting import cell, replicas

from cftrain.training.stack import train

PUBLISHED_CPU_SECONDS = 370
WIDTHS = (1, 8, 32, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--step-size", type=float, nargs="+", default=[0.1, 0.25])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Training, CPU seconds per cell and 100 epochs ({arguments.epochs} run)")
    print("step size   width   CPU s   x width 1   x published")
    for step_size in arguments.step_size:
        run = cell(
            "data=moons",
            f"schedule.epochs={arguments.epochs}",
            f"search.step_size={step_size}",
        )
        dataset = run.data.load()
        alone = None
        for width in WIDTHS:
            start = time.process_time()
            train(replicas(run, width), dataset, device=torch.device("cpu"))
            spent = time.process_time() - start
            seconds = spent / width * 100 / arguments.epochs
            alone = alone or seconds
            print(
                f"{step_size:9.2f} {width:7d} {seconds:7.2f} {alone / seconds:11.1f}"
                f" {PUBLISHED_CPU_SECONDS / seconds:13.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

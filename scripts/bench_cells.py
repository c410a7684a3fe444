"""CPU seconds to train one counterfactual model of each experiment, alone, full size.

Final hyperparameters, 100 epochs, one thread; search included, evaluation not. LeNet is
left out unless asked for (`--model lenet --experiments mnist --epochs 1`).
"""

import argparse
import time

import torch
from setting import cell

from cftrain.training.stack import train

EXPERIMENTS = (
    "linearly_separable",
    "circles",
    "moons",
    "overlapping",
    "adult",
    "california_housing",
    "credit_default",
    "gmsc",
    "mnist",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", nargs="+", default=EXPERIMENTS)
    parser.add_argument("--model", default="mlp")
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"One {arguments.model} cell alone, {arguments.epochs} epochs")
    print("experiment             CPU s   search steps   mature")
    for experiment in arguments.experiments:
        run = cell(
            f"experiment={experiment}",
            f"model={arguments.model}",
            f"schedule.epochs={arguments.epochs}",
        )
        run.data.source()
        dataset = run.data.load()
        start = time.process_time()
        history = train([run], dataset, device=torch.device("cpu")).history
        spent = time.process_time() - start
        steps = torch.stack([record.search_steps for record in history]).mean()
        mature = torch.stack([record.mature_share for record in history]).mean()
        print(f"{experiment:20s} {spent:7.1f} {steps:14.1f} {mature:8.2f}", flush=True)


if __name__ == "__main__":
    main()

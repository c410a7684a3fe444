"""Search and training beside a plain autograd road, over shapes of models and stacks.

The plain road is what one would write with torch alone: the whole stack at once, a loss
that autograd differentiates, and the library's own Adam. It lives here and nowhere
else. Both roads do the same work, which is checked: a search in which nothing stops
early, and steps of training with all published terms.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from setting import cell, replicas, stacked_search
from torch import Tensor, nn

from cftrain import stacking
from cftrain.counterfactuals.maturity import Never
from cftrain.counterfactuals.penalties import polynomial_decay
from cftrain.data.constraints import Constraints, unconstrained
from cftrain.models.mlp import Mlp
from cftrain.models.stack_slicing import frozen
from cftrain.objectives.objective import Objective
from cftrain.seeding import Stream
from cftrain.training.optimiser import FlatAdam
from cftrain.training.run import Run
from cftrain.training.steps.portion import Portion, StepRows
from cftrain.training.steps.step import Steps

FEATURES, STACKS, WIDTHS, CLASSES = (2, 8, 108, 784), (1, 8, 32, 128), (32, 128), 2
ROWS, OBSERVED, TUPLES, STEPS = 256, 30, 10, 10
MOST_NUMBERS = 2**23
"""Of the rows of a stack: larger ones are left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, nargs="+", default=FEATURES)
    parser.add_argument("--stacks", type=int, nargs="+", default=STACKS)
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"CPU ms per model (medians of {arguments.repeats}): a search of {ROWS} rows "
        f"and {STEPS} steps; {STEPS} steps of training"
    )
    print("features  hidden  stack   search   plain  ratio   training   plain  ratio")
    for features in arguments.features:
        for hidden in arguments.widths:
            for stack in arguments.stacks:
                if stack * ROWS * features <= MOST_NUMBERS:
                    _report(features, hidden, stack, arguments.repeats)


def _report(features: int, hidden: int, stack: int, repeats: int) -> None:
    search = _compared(_searches(features, hidden, stack), stack, repeats)
    training = _compared(_trainings(features, hidden, stack), stack, repeats)
    print(f"{features:8d} {hidden:7d} {stack:6d} {search}   {training}", flush=True)


def _compared(
    roads: tuple[Callable[[], Tensor], Callable[[], Tensor]], stack: int, repeats: int
) -> str:
    """The roads take turns, so that whatever else the machine does hits both."""
    ours, plain = roads
    torch.testing.assert_close(ours(), plain(), rtol=1e-3, atol=1e-4)
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for road, times in zip(roads, spent, strict=True):
            start = time.process_time()
            road()
            times.append(1000 * (time.process_time() - start) / stack)
    quick, slow = map(statistics.median, spent)
    return f"{quick:8.2f} {slow:7.2f} {slow / quick:6.1f}"


def _model(features: int, hidden: int, stack: int) -> nn.Module:
    spec = Mlp(name="mlp", hidden=(hidden,), activation="relu")
    streams = [Stream(seed) for seed in range(stack)]
    return spec.build(features=features, classes=CLASSES, streams=streams)


def _normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _classes(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(CLASSES, shape, generator=generator)


# --- search --------------------------------------------------------------------------


def _searches(
    features: int, hidden: int, stack: int
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    run = cell("data=moons", f"search.max_steps={STEPS}")
    run = Run(**vars(run) | {"maturity": Never()})
    search = stacked_search(run, stack)
    model = frozen(_model(features, hidden, stack), slice(None))
    x, target = _normal(stack, ROWS, features), _classes(stack, ROWS)
    limits = unconstrained(features)

    def ours() -> Tensor:
        return search(model, x, target, constraints=limits).counterfactual

    return ours, lambda: _plain_search(run, model, x, target, limits)


def _plain_search(
    run: Run, model: nn.Module, factual: Tensor, target: Tensor, limits: Constraints
) -> Tensor:
    """ECCo's search with its mask of finished rows and its nascent rows."""
    generator, descent = run.generator, run.search
    x = nascent = factual
    moving = torch.ones_like(target, dtype=torch.bool)
    for step in range(descent.max_steps):
        x.requires_grad_()
        logits = model(x)
        energy = -logits.gather(-1, target.unsqueeze(-1)).squeeze(-1)
        loss = nn.functional.cross_entropy(logits.mT, target, reduction="none")
        weight = generator.energy_weight * polynomial_decay(step, descent.max_steps)  # type: ignore[attr-defined]
        loss = loss + weight * (energy + 0.001 * energy * energy)
        pull = (x - factual).abs().sum(-1)
        loss = loss + generator.distance_weight * pull  # type: ignore[attr-defined]
        (gradient,) = torch.autograd.grad(loss.sum(), x)
        with torch.no_grad():
            moving = moving & (logits.softmax(-1).amax(-1) <= 1)
            moving = moving & torch.isfinite(gradient).all(-1)
            moved = torch.clamp(
                x - descent.step_size * gradient, limits.lower, limits.upper
            )
            x = torch.where(moving.unsqueeze(-1), moved, x.detach())
            near = (x - factual).abs().amax(-1) <= descent.epsilon
            nascent = torch.where(near.unsqueeze(-1), x, nascent)
    return x


# --- training ------------------------------------------------------------------------


def _trainings(
    features: int, hidden: int, stack: int
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    run = cell("data=moons")
    objective: Objective = stacking.stack(
        [each.objective for each in replicas(run, stack)],
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    rows = _rows(features, stack * STEPS)
    portion = Portion(starts=[0] * STEPS, rows=rows)

    def ours() -> Tensor:
        model = _model(features, hidden, stack)
        optimiser = FlatAdam(run.schedule.optimiser, model)
        limits = unconstrained(features)
        steps = Steps(model, objective, limits, [Stream(0)] * stack)
        steps.learn(portion, optimiser.step)
        return next(model.parameters()).detach()

    def plain() -> Tensor:
        model = _model(features, hidden, stack)
        return _plain_training(run, model, portion.by_step())

    return ours, plain


def _rows(features: int, stack: int) -> StepRows:
    return StepRows(
        seen=_normal(stack, OBSERVED + 3 * TUPLES, features),
        observed_label=_classes(stack, OBSERVED),
        nascent_label=_classes(stack, TUPLES, seed=1),
        observed_weight=None,
        nascent_weight=None,
        target=_classes(stack, TUPLES, seed=2),
        ridge_share=torch.ones(stack, TUPLES),
        margin=torch.zeros(stack, TUPLES),
        visited=None,
        wanted=None,
    )


def _plain_training(run: Run, model: nn.Module, steps: list[StepRows]) -> Tensor:
    weights, settings = run.objective, run.schedule.optimiser
    optimiser = torch.optim.Adam(
        model.parameters(),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
    )
    sizes = [OBSERVED, TUPLES, TUPLES, TUPLES]
    for rows in steps:
        logits = model(rows.seen)
        observed, nascent, positive, counterfactual = logits.split(sizes, 1)
        place = rows.target.unsqueeze(-1)
        low, high = (-each.gather(-1, place) for each in (positive, counterfactual))
        squares = (low * low + high * high).mean((1, 2))
        loss = weights.class_weight * _mean_loss(observed, rows.observed_label)
        attacked = _mean_loss(nascent, rows.nascent_label)
        loss = loss + weights.adversarial_weight * attacked
        loss = loss + weights.divergence_weight * (low - high).mean((1, 2))
        loss = loss + weights.ridge_weight * squares
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    return next(model.parameters()).detach()


def _mean_loss(logits: Tensor, label: Tensor) -> Tensor:
    rows = nn.functional.cross_entropy(logits.mT, label, reduction="none")
    return rows.mean(1)


if __name__ == "__main__":
    main()

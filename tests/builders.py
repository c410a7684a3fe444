"""Small objects for tests. All numbers are float64 unless asked otherwise."""

from typing import Any

import torch
from torch import Tensor, nn

from cftrain import stacking
from cftrain.config.identity import later
from cftrain.counterfactuals.categories import Categories, Free
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity, Threshold
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.data.constraints import Constraints, mutability_flags, unconstrained
from cftrain.data.dataset import Dataset
from cftrain.generators.ecco import Ecco
from cftrain.generators.generic import Generic
from cftrain.models.classifier import Headed
from cftrain.models.counternet import CounterNet
from cftrain.models.mlp import Mlp
from cftrain.objectives.objective import Objective
from cftrain.seeding import Stream
from cftrain.training.optimiser import Adam
from cftrain.training.schedule import Schedule

FEATURES, CLASSES = 4, 3


def streams(count: int, seed: int = 0) -> list[Stream]:
    return [Stream(seed + cell) for cell in range(count)]


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def integers(high: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def free(features: int = FEATURES) -> Constraints:
    return unconstrained(features).to(dtype=torch.float64, device=torch.device("cpu"))


def constraints(
    kinds: list[str],
    lower: list[float] | float,
    upper: list[float] | float,
    groups: tuple[tuple[int, ...], ...] = (),
) -> Constraints:
    increase, decrease = mutability_flags(kinds)
    shape = torch.ones(len(kinds), dtype=torch.float64)
    return Constraints(
        lower=torch.as_tensor(lower, dtype=torch.float64) * shape,
        upper=torch.as_tensor(upper, dtype=torch.float64) * shape,
        may_increase=increase,
        may_decrease=decrease,
        groups=groups,
    )


def blobs(
    *,
    rows: int = 96,
    validation_rows: int = 24,
    dtype: torch.dtype = torch.float64,
    limits: Constraints | None = None,
    classes: int = CLASSES,
) -> Dataset:
    """A Gaussian blob for every class, in turn; 30 test rows."""
    labels = torch.arange(rows + 30) % classes
    centres = 1.5 * normal(classes, FEATURES, seed=11)
    features = (centres[labels] + normal(rows + 30, FEATURES, seed=12)).to(dtype)
    limits = limits or constraints(["free"] * FEATURES, -9, 9)
    return Dataset(
        name="blobs",
        source="generated",
        identity="generated",
        features=features[:rows],
        labels=labels[:rows],
        test_features=features[rows:],
        test_labels=labels[rows:],
        validation_rows=validation_rows,
        classes=classes,
        feature_names=tuple(f"x{number}" for number in range(FEATURES)),
        constraints=limits.to(dtype=dtype, device=torch.device("cpu")),
        image_shape=None,
    )


def mlp(
    cells: int,
    *,
    features: int = FEATURES,
    classes: int = CLASSES,
    hidden: tuple[int, ...] = (6,),
    seed: int = 0,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float64,
) -> nn.Module:
    """Smooth networks, whose biases are not zero and whose weights are scaled."""
    spec = Mlp(name="mlp", hidden=hidden, activation="tanh")
    model = spec.build(
        features=features, classes=classes, streams=streams(cells, seed)
    ).to(torch.float64)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(scale)
            if name.endswith("bias"):
                shape = parameter.shape[1:]
                for cell in range(cells):
                    parameter[cell] = 0.3 * normal(*shape, seed=seed + cell)
    return model.to(dtype)


def headed(cells: int, *, seed: int = 0, **options: Any) -> Headed:
    """The same networks, each with a head that answers with counterfactuals."""
    widths = {"name": "mlp", "activation": "tanh"}
    spec = CounterNet(
        name="counternet",
        predictor=Mlp(hidden=(6,), **widths),
        head=Mlp(hidden=(7, 5), **widths),
    )
    dtype = options.get("dtype", torch.float64)
    model = spec.build(
        features=options.get("features", FEATURES),
        classes=options.get("classes", CLASSES),
        streams=streams(cells, seed),
    ).to(torch.float64)
    predictor = mlp(cells, seed=seed, **options).state_dict()
    model.predictor.load_state_dict(predictor)
    return model.to(dtype)


def linear(weight: Tensor, bias: Tensor) -> nn.Module:
    """A linear classifier: weight (stack, class, feature), bias (stack, class)."""
    stack, classes, features = weight.shape
    model = mlp(stack, features=features, classes=classes, hidden=())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weight if name.endswith("weight") else bias)
    return model


def generic(distance_weight: float = 0.0) -> Generic:
    return Generic(
        name="generic", space=FeatureSpace(), distance_weight=distance_weight
    )


def ecco(
    distance_weight: float = 0.001,
    energy_weight: float = 5.0,
    schedule: str = "decay",
) -> Ecco:
    return Ecco(
        name="ecco",
        space=FeatureSpace(),
        distance_weight=distance_weight,
        energy_weight=energy_weight,
        schedule=schedule,
    )


def search(
    generator: Generator | None = None,
    maturity: Maturity | None = None,
    categories: Categories | None = None,
    *,
    threshold: float = 0.75,
    step_size: float = 0.1,
    max_steps: int = 20,
    epsilon: float = 0.3,
) -> CounterfactualSearch:
    return CounterfactualSearch(
        generator=generator or ecco(),
        maturity=maturity or Threshold(threshold=threshold),
        descent=GradientDescent(
            step_size=step_size, max_steps=max_steps, epsilon=epsilon
        ),
        categories=categories or Free(),
    )


def objective(
    class_weight: float = 1.0,
    divergence_weight: float = 0.5,
    adversarial_weight: float = 0.25,
    ridge_weight: float = 0.1,
    *,
    nascent_label: str = "observed",
    positive: str = "target",
    immature_ridge: bool = True,
    **beyond: Any,
) -> Objective:
    """The published terms, and what is said beyond them."""
    neutral = {name: mark.neutral for name, mark in later(Objective).items()}
    return Objective(
        class_weight=class_weight,
        divergence_weight=divergence_weight,
        adversarial_weight=adversarial_weight,
        ridge_weight=ridge_weight,
        nascent_label=nascent_label,
        positive=positive,
        immature_ridge=immature_ridge,
        **neutral | beyond,
    )


def vanilla() -> Objective:
    return objective(1.0, 0.0, 0.0, 0.0)


def schedule(
    *,
    epochs: int = 2,
    batch_rows: int = 20,
    counterfactuals: int = 30,
    burn_in: float = 0.0,
    learning_rate: float = 0.01,
    shuffle: str = "none",
    keep: str = "last",
    patience: int | None = None,
) -> Schedule:
    return Schedule(
        epochs=epochs,
        batch_rows=batch_rows,
        shuffle=shuffle,
        counterfactuals=counterfactuals,
        burn_in=burn_in,
        optimiser=Adam(
            learning_rate=learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8
        ),
        keep=keep,
        patience=patience,
    )


def stacked(members: list, dtype: torch.dtype = torch.float64):
    """What training gets: one object for all members."""
    return stacking.stack(members, dtype=dtype, device=torch.device("cpu"))

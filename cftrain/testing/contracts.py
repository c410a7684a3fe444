"""Contracts that a plug-in's classes have to keep, for the tests of the plug-in.

Each function raises AssertionError with the contract that is broken. Rows, labels and
models are small and drawn from fixed seeds, so that a test says the same every time.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from cftrain import stacking
from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.counterfactuals.categories import Free
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Never
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import unconstrained
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.evaluation.metric import (
    CounterfactualMetric,
    ModelMetric,
    ResampledMetric,
)
from cftrain.evaluation.reference import Reference
from cftrain.evaluation.subject import Subject
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.testing.small import (
    CLASSES,
    CPU,
    DOUBLE,
    FEATURES,
    ROWS,
    STACK,
    classes,
    dataset,
    individuals,
    model,
    normal,
)

TOLERANCE = 1e-9
PROGRESS = Progress(step=2, max_steps=30)


def check_generator(generator: Generator) -> None:
    """Checks that the loss is one finite number for each row, that it depends on this
    row and cell alone, that floats may be (stack, 1) tensors, that `slopes` are its
    derivatives, and that searches draw from their streams alone and keep to
    constraints.

    The space of the generator is fitted to a few rows of four features. Raises
    AssertionError.

    >>> from cftrain.counterfactuals.space import FeatureSpace
    >>> from cftrain.generators.generic import Generic
    >>> from cftrain.testing import check_generator
    >>> generic = Generic(name="generic", space=FeatureSpace(), distance_weight=0.1)
    >>> check_generator(generic)
    """
    logits, x = 3 * normal(STACK, ROWS, CLASSES), normal(STACK, ROWS, FEATURES)
    factual, target = x + normal(*x.shape, seed=1), classes(STACK, ROWS, seed=2)
    given = (logits, target, x, factual)
    loss = _loss(generator, *given)
    shape, wanted = tuple(loss.shape), (STACK, ROWS)
    _require(shape == wanted, f"a loss (stack, row) of {wanted}", shape)
    _require(bool(loss.isfinite().all()), "finite losses", loss)
    for cell in range(STACK):
        for row in range(0, ROWS, 5):
            alone = [v[cell : cell + 1, row : row + 1] for v in given]
            told = "the loss of a row to depend on this row alone"
            _same(_loss(generator, *alone)[0, 0], loss[cell, row], told)
    stacked = stacking.stack([generator] * STACK, dtype=DOUBLE, device=CPU)
    told = "the same loss where floats are tensors (stack, 1)"
    _same(_loss(stacked, *given), loss, told)
    own, derived = (
        slopes(generator, *given, progress=PROGRESS)
        for slopes in (type(generator).slopes, Generator.slopes)
    )
    for found, expected in zip(own, derived, strict=True):
        _same(_or_zero(found), _or_zero(expected), "slopes to be those of the loss")
    _check_searches(generator)


def check_metric(metric: object, *, of_rows: bool = True) -> None:
    """Checks that a metric has a unit and a direction, that its values have their
    shape, are the same each time, and are those of each model alone.

    A CounterfactualMetric is also asked about half of the rows, whose values must not
    change, unless it is one of samples (`of_rows=False`). Raises AssertionError, and
    TypeError for what is no metric.
    """
    for name, kind in (("unit", str), ("higher_is_better", bool)):
        found = getattr(metric, name, None)
        _require(isinstance(found, kind), f"{name} of type {kind.__name__}", found)
    networks, data = model(), dataset()
    if isinstance(metric, ModelMetric | ResampledMetric):
        _check_of_models(metric, networks, data)
    elif isinstance(metric, CounterfactualMetric):
        _check_of_counterfactuals(metric, networks, data, of_rows=of_rows)
    else:
        raise TypeError(
            "metric: expected a CounterfactualMetric, ModelMetric or ResampledMetric, "
            f"got a {type(metric).__name__}"
        )


def check_dataset(spec: DatasetSpec) -> None:
    """Checks that what is loaded has the name, the identity and the numbers of rows
    that are told beforehand, the shapes and values that models need, and is the same
    each time, whatever is drawn elsewhere.

    Raises AssertionError; DataError if it cannot be loaded.
    """
    torch.manual_seed(1)
    first = spec.load()
    torch.manual_seed(2)
    again = spec.load()
    _require(first.name == spec.name, f"the name {spec.name!r}", first.name)
    _require(first.identity == spec.identity(), "the identity told", first.identity)
    _require(first.source == spec.source(), "the source told", first.source)
    rows = spec.training_rows + spec.validation_rows
    found = tuple(first.features.shape)
    _require(found == (rows, first.feature_count), f"a pool of {rows} rows", found)
    for part in ("features", "labels", "test_features", "test_labels"):
        same = torch.equal(getattr(first, part), getattr(again, part))
        _require(same, f"the same {part} each time")
    for values in (first.features, first.test_features):
        _require(values.dtype == torch.float32, "features of float32", values.dtype)
    for labels in (first.labels, first.test_labels) if spec.has_test_rows else ():
        seen = labels.unique().tolist()
        _require(seen == list(range(first.classes)), "rows of each class", seen)
    pool = first.features.unsqueeze(0)
    outside = first.constraints.violations(pool, pool)
    _require(not bool(outside.any()), "the pool to lie in its own domain")
    restored = build_object(describe(spec), DatasetSpec, "data")  # type: ignore[type-abstract]
    _require(restored == spec, "what is stored of it to make it again", restored)


def _check_searches(generator: Generator) -> None:
    """Searches in float32, as trainings make them."""
    pool = normal(64, FEATURES, seed=3).float()
    with tempfile.TemporaryDirectory() as folder:
        search = CounterfactualSearch(
            generator=generator.fitted(pool, Path(folder)),
            maturity=Never(),
            descent=GradientDescent(step_size=0.3, max_steps=6, epsilon=0.5),
            categories=Free(),
        )
    whole_stack = stacking.stack([search] * STACK, dtype=torch.float32, device=CPU)
    free = unconstrained(FEATURES)
    limits = replace(free, may_decrease=torch.tensor([True, False, True, False]))
    factual, target = pool[:ROWS].expand(STACK, -1, -1), classes(STACK, ROWS, seed=4)
    networks = model(head=generator.asks_head).float()

    def searched(cells: slice) -> SearchResult:
        streams = [Stream(cell) for cell in range(STACK)][cells]
        return stacking.select(whole_stack, cells)(
            frozen(networks, cells),
            factual[cells],
            target[cells],
            constraints=limits,
            streams=streams,
        )

    torch.manual_seed(1)
    whole = searched(slice(None))
    torch.manual_seed(2)
    again = searched(slice(None))
    drawn = "draws to come from streams alone"
    _same(again.counterfactual, whole.counterfactual, drawn)
    for cell in range(STACK):
        alone = searched(slice(cell, cell + 1)).counterfactual[0]
        _same(alone, whole.counterfactual[cell], "a search stacked as it is alone")
    broken = limits.violations(whole.counterfactual, whole.factual)
    moved = (whole.counterfactual != whole.factual).any(-1)
    _require(not bool((broken & moved).any()), "searches to keep to the constraints")


def _check_of_models(
    metric: ModelMetric | ResampledMetric, networks: nn.Module, data: Dataset
) -> None:
    def measured(cells: slice) -> Tensor:
        return metric(Subject(classifier=frozen(networks, cells), dataset=data))

    _check_stack(measured, axis=1)
    shape = measured(slice(None)).shape
    if isinstance(metric, ModelMetric):
        wanted = (len(metric.levels), STACK)
        _require(shape == wanted, f"values (level, stack) of {wanted}", tuple(shape))


def _check_of_counterfactuals(
    metric: CounterfactualMetric, networks: nn.Module, data: Dataset, *, of_rows: bool
) -> None:
    reference = Reference(data.test_features, data.test_labels, CLASSES)

    def measured(cells: slice, rows: slice = slice(None)) -> Tensor:
        return metric(individuals(networks, data, cells, rows), reference)

    _check_stack(measured, axis=0)
    whole = measured(slice(None))
    shape = tuple(whole.shape)
    _require(shape == (STACK, ROWS), f"values of {(STACK, ROWS)}", shape)
    if of_rows:
        half = measured(slice(None), slice(0, ROWS, 2))
        told = "the value of a row to depend on this row alone"
        _same(half, whole[:, ::2], told)


def _check_stack(measured: Callable[[slice], Tensor], *, axis: int) -> None:
    torch.manual_seed(1)
    whole = measured(slice(None))
    torch.manual_seed(2)
    _same(measured(slice(None)), whole, "the same values each time")
    for cell in range(STACK):
        alone = measured(slice(cell, cell + 1))
        told = "the values of a model to be those of it alone"
        _same(alone.select(axis, 0), whole.select(axis, cell), told)


def _loss(
    generator: Generator, logits: Tensor, target: Tensor, x: Tensor, factual: Tensor
) -> Tensor:
    return generator.loss(logits, target, x, factual, progress=PROGRESS)


def _or_zero(slope: Tensor | None) -> Tensor:
    return torch.zeros(()) if slope is None else slope


def _same(found: Tensor, wanted: Tensor, contract: str) -> None:
    found, wanted = found.double(), wanted.double()
    close = torch.isclose(found, wanted, TOLERANCE, TOLERANCE, equal_nan=True)
    if not bool(close.all()):
        count = f"{int((~close).sum())} of {close.numel()}"
        raise AssertionError(f"expected {contract}, got {count} values that differ")


def _require(kept: bool, contract: str, found: object = "none") -> None:
    if not kept:
        raise AssertionError(f"expected {contract}, got {found}")

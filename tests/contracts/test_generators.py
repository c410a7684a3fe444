import pytest
import torch

from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Never
from cftrain.models.stack_slicing import frozen
from tests import builders
from tests.builders import CLASSES, FEATURES, constraints, integers, normal, streams
from tests.contracts.configured import names, run_with

GENERATORS = names("generator")
STACK, ROWS = 3, 9
TARGET = integers(CLASSES, STACK, ROWS, seed=1)
FACTUAL = normal(STACK, ROWS, FEATURES, seed=3)


@pytest.fixture(params=GENERATORS)
def generator(request, tmp_path) -> Generator:
    """Every configured generator, ready for the tiny dataset."""
    configured = run_with("generator", request.param).generator
    return configured.fitted(builders.blobs(dtype=torch.float32).features, tmp_path)


def loss(generator: Generator, logits, x, factual):
    return generator.loss(
        logits,
        integers(CLASSES, *logits.shape[:2], seed=1),
        x,
        factual,
        progress=Progress(step=2, max_steps=30),
    )


def search(generator: Generator, cells: slice = slice(0, STACK), **changed):
    """Float32, as configured networks of generators are."""
    made = builders.headed if generator.asks_head else builders.mlp
    model = frozen(made(STACK, dtype=torch.float32), cells)
    limits = constraints(["free", "immutable", "increase", "decrease"], -2, 2)
    return builders.search(generator, **changed)(
        model,
        FACTUAL[cells].float(),
        TARGET[cells],
        constraints=limits.to(dtype=torch.float32, device=torch.device("cpu")),
        streams=streams(STACK)[cells],
    )


def test_there_are_generators():
    assert {"generic", "ecco"} <= set(GENERATORS)


def test_the_loss_is_one_number_for_each_row(generator):
    logits = normal(STACK, ROWS, CLASSES)
    x = normal(STACK, ROWS, FEATURES, seed=2)
    found = loss(generator, logits, x, FACTUAL)
    assert found.shape == (STACK, ROWS)
    assert torch.isfinite(found).all()


def test_rows_do_not_know_each_other(generator):
    logits = normal(STACK, ROWS, CLASSES).requires_grad_()
    x = normal(STACK, ROWS, FEATURES, seed=2).requires_grad_()
    slopes = torch.autograd.grad(
        loss(generator, logits, x, FACTUAL)[1, 2], (logits, x), allow_unused=True
    )
    for slope in slopes:
        if slope is not None:
            assert torch.isfinite(slope).all()
            slope[1, 2] = 0
            assert slope.abs().sum() == 0


def test_a_larger_target_logit_is_better(generator):
    """At the factual, for moderate logits."""
    logits = normal(STACK, ROWS, CLASSES).requires_grad_()
    total = loss(generator, logits, FACTUAL, FACTUAL).sum()
    (slope,) = torch.autograd.grad(total, logits)
    assert (slope.gather(-1, TARGET.unsqueeze(-1)) < 0).all()


def test_searches_respect_the_constraints(generator):
    found = search(generator, maturity=Never(), step_size=0.5)
    limits = constraints(["free", "immutable", "increase", "decrease"], -2, 2)
    for state in (found.counterfactual, found.nascent):
        moved = (state != found.factual).any(-1)
        assert not (limits.violations(state, found.factual) & moved).any()
    assert (found.counterfactual != found.factual).any()


def test_searches_are_stacked_as_they_are_alone(generator):
    whole = search(generator)
    for cell in range(STACK):
        alone = search(generator, slice(cell, cell + 1))
        for name in ("counterfactual", "nascent", "mature", "steps"):
            assert torch.equal(getattr(whole, name)[cell], getattr(alone, name)[0])


def test_searches_are_functions_of_their_streams(generator):
    torch.manual_seed(1)
    first = search(generator)
    torch.manual_seed(2)
    assert torch.equal(search(generator).counterfactual, first.counterfactual)


def test_draws_for_a_row_do_not_depend_on_which_rows_are_left(generator, monkeypatch):
    """Stopped rows leave the working set sooner or later: that changes nothing."""
    monkeypatch.setattr("cftrain.counterfactuals.search.COMPACT_SHARE", 0.0)
    kept = search(generator)
    monkeypatch.setattr("cftrain.counterfactuals.search.COMPACT_SHARE", 1.0)
    dropped = search(generator)
    torch.testing.assert_close(
        kept.counterfactual, dropped.counterfactual, rtol=0, atol=1e-5
    )
    assert torch.equal(kept.mature, dropped.mature)


def test_slopes_are_the_derivatives_of_the_loss(generator):
    """In closed form or not; also at the factual, where the distance has its kink."""
    logits = 3 * normal(STACK, ROWS, CLASSES)
    x = normal(STACK, ROWS, FEATURES, seed=2)
    x[0] = FACTUAL[0]
    for step in (0, 2, 29):
        leaves = logits.clone().requires_grad_(), x.clone().requires_grad_()
        progress = Progress(step=step, max_steps=30)
        loss = generator.loss(leaves[0], TARGET, leaves[1], FACTUAL, progress=progress)
        expected = torch.autograd.grad(loss.sum(), leaves)
        found = generator.slopes(logits, TARGET, x, FACTUAL, progress=progress)
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)


def test_slopes_need_no_closed_form(generator):
    """What a generator inherits says the same, in inference mode too."""
    logits, x = normal(STACK, ROWS, CLASSES), normal(STACK, ROWS, FEATURES, seed=2)
    progress = Progress(step=2, max_steps=30)
    with torch.inference_mode():
        given = (logits.clone(), TARGET.clone(), x.clone(), FACTUAL.clone())
        inherited = Generator.slopes(generator, *given, progress=progress)
        own = generator.slopes(*given, progress=progress)
    for found, expected in zip(inherited, own, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)

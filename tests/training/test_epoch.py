import pytest
import torch

from cftrain.counterfactuals.maturity import Never
from cftrain.data.sampling import TrainingRows, training_rows
from cftrain.models.stack_slicing import frozen, predict
from cftrain.training.epoch import (
    EpochCounterfactuals,
    draw_counterfactuals,
    other_class,
)
from tests import builders
from tests.builders import constraints, objective, stacked, streams, vanilla

STACK, COUNT = 3, 40


def rows_of(limits=None, stack: int = STACK) -> TrainingRows:
    dataset = builders.blobs(limits=limits)
    return training_rows(dataset, [s.child("split") for s in streams(stack)])


def pool_of(
    classifier,
    rows: TrainingRows,
    objectives=None,
    searches=None,
    count: int = COUNT,
    epoch: int = 1,
) -> EpochCounterfactuals:
    stack = rows.training.shape[0]
    objectives = objectives or [objective()] * stack
    searches = searches or [builders.search(max_steps=30)] * stack
    return draw_counterfactuals(
        classifier,
        rows,
        stacked(searches),
        stacked(objectives),
        count=count,
        streams=[s.child("epoch", epoch) for s in streams(stack)],
    )


@pytest.fixture
def rows() -> TrainingRows:
    return rows_of()


@pytest.fixture
def classifier():
    return builders.mlp(STACK, scale=2.0)


def places(rows: TrainingRows, found: torch.Tensor, cell: int) -> list[int]:
    """Where in the pool the rows stand; each has to be there exactly once."""
    pool = rows.dataset.features
    same = (found[cell].unsqueeze(1) == pool).all(-1)
    assert (same.sum(1) == 1).all()
    return same.long().argmax(1).tolist()


def test_positives_are_training_rows_of_the_target(rows, classifier):
    found = pool_of(classifier, rows)
    for cell in range(STACK):
        drawn = places(rows, found.positive, cell)
        assert set(drawn) <= set(rows.training[cell].tolist())
        assert torch.equal(rows.dataset.labels[drawn], found.target[cell])


def test_positives_are_spread_over_the_rows_of_their_class(rows, classifier):
    drawn = set()
    short = [builders.search(max_steps=1)] * STACK
    for epoch in range(12):
        found = pool_of(classifier, rows, searches=short, count=70, epoch=epoch)
        drawn |= set(places(rows, found.positive, 0))
    # 12 x 70 draws out of 72 rows: each is missed with a chance of about 1e-4.
    assert len(drawn) >= 71


def test_factuals_are_different_training_rows_and_labels_are_theirs(rows, classifier):
    """Without a step the nascent rows are the factuals."""
    still = [builders.search(max_steps=1, step_size=1e-12)] * STACK
    found = pool_of(classifier, rows, searches=still, count=70)
    for cell in range(STACK):
        training = rows.training[cell]
        features = rows.dataset.features[training]
        gaps = (found.nascent[cell].unsqueeze(1) - features).abs().amax(-1)
        near, place = gaps.min(1)
        assert (near < 1e-9).all()
        assert len(set(place.tolist())) == 70
        labels = rows.dataset.labels[training[place]]
        assert torch.equal(found.nascent_label[cell], labels)


def test_nascent_labels_may_be_predictions(rows, classifier):
    still = [builders.search(max_steps=1, step_size=1e-12)] * STACK
    predicted = [objective(nascent_label="predicted")] * STACK
    found = pool_of(classifier, rows, predicted, still)
    assert torch.equal(found.nascent_label, predict(classifier, found.nascent))
    observed = pool_of(classifier, rows, searches=still)
    assert not torch.equal(found.nascent_label, observed.nascent_label)


def test_targets_differ_from_predictions_and_not_from_labels(rows, classifier):
    still = [builders.search(max_steps=1, step_size=1e-12)] * STACK
    found = pool_of(classifier, rows, searches=still, count=70)
    predicted = predict(classifier, found.nascent)
    assert (found.target != predicted).all()
    assert (found.target == found.nascent_label).any(), "wrongly predicted rows"


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_targets_are_uniform_over_the_other_classes(classes):
    predicted = torch.arange(30_000).remainder(classes).unsqueeze(0)
    found = other_class(predicted, classes, streams(1, seed=6))
    assert (found != predicted).all()
    for label in range(classes):
        counts = found[predicted == label].bincount(minlength=classes)
        assert counts[label] == 0
        expected = int((predicted == label).sum()) / (classes - 1)
        gaps = torch.cat([counts[:label], counts[label + 1 :]]) - expected
        # Chi-square: mean classes - 2, standard deviation sqrt(2 (classes - 2)).
        free = classes - 2
        assert (gaps**2 / expected).sum() <= free + 4 * (2 * free) ** 0.5


def test_a_cell_draws_what_it_would_draw_alone(rows, classifier):
    whole = pool_of(classifier, rows)
    for cell in range(STACK):
        here = slice(cell, cell + 1)
        alone = draw_counterfactuals(
            frozen(classifier, here),
            training_rows(rows.dataset, [streams(STACK)[cell].child("split")]),
            stacked([builders.search(max_steps=30)]),
            stacked([objective()]),
            count=COUNT,
            streams=[streams(STACK)[cell].child("epoch", 1)],
        )
        for name in ("nascent", "positive", "counterfactual", "target", "mature_share"):
            assert torch.equal(getattr(whole, name)[here], getattr(alone, name)), name


def test_epochs_and_cells_draw_different_rows(rows, classifier):
    first, second = (pool_of(classifier, rows, epoch=epoch) for epoch in (1, 2))
    assert not torch.equal(first.target, second.target)
    assert not torch.equal(first.positive, second.positive)
    assert not torch.equal(first.target[0], first.target[1])


def test_immature_counterfactuals_give_way_to_their_positive(rows, classifier):
    never = [builders.search(maturity=Never(), max_steps=5)] * STACK
    found = pool_of(classifier, rows, searches=never)
    assert torch.equal(found.counterfactual, found.positive)
    assert (found.mature_share == 0).all()
    assert (found.search_steps == 5).all()
    assert (found.ridge_share == 1).all()


def test_mature_counterfactuals_are_the_searchs(rows, classifier):
    found = pool_of(classifier, rows)
    gave_way = (found.counterfactual == found.positive).all(-1)
    torch.testing.assert_close(1 - gave_way.double().mean(1), found.mature_share)
    assert gave_way.any()
    assert not gave_way.all()
    logits = classifier(found.counterfactual).softmax(-1)
    reached = logits.gather(-1, found.target.unsqueeze(-1)).squeeze(-1) >= 0.75
    assert reached[~gave_way].all()


def test_positives_may_be_the_factuals(rows, classifier):
    """Eq. 2 of the draft, read literally."""
    still = [builders.search(max_steps=1, step_size=1e-12, epsilon=1.0)] * STACK
    literal = [objective(positive="factual")] * STACK
    found = pool_of(classifier, rows, literal, still)
    torch.testing.assert_close(found.positive, found.nascent, rtol=0, atol=1e-9)
    moved = pool_of(classifier, rows, literal)
    assert torch.equal(moved.positive, found.positive)
    gave_way = (moved.counterfactual == moved.positive).all(-1)
    torch.testing.assert_close(1 - gave_way.double().mean(1), moved.mature_share)


def test_the_ridge_may_leave_out_what_is_not_mature(rows, classifier):
    found = pool_of(classifier, rows, [objective(immature_ridge=False)] * STACK)
    gave_way = (found.counterfactual == found.positive).all(-1)
    assert torch.equal(found.ridge_share, (~gave_way).double())
    every = pool_of(classifier, rows)
    assert (every.ridge_share == 1).all()


def test_nascent_rows_are_within_epsilon_of_training_rows(rows, classifier):
    searches = [
        builders.search(epsilon=epsilon, step_size=0.5) for epsilon in (0.05, 0.3, 1.0)
    ]
    found = pool_of(classifier, rows, searches=searches)
    for cell, epsilon in enumerate((0.05, 0.3, 1.0)):
        training = rows.dataset.features[rows.training[cell]]
        gaps = (found.nascent[cell].unsqueeze(1) - training).abs().amax(-1).amin(1)
        assert gaps.max() <= epsilon + 1e-12
        assert gaps.max() > 0


def test_positives_are_protected_from_the_final_counterfactuals(classifier):
    kinds = ["immutable", "increase", "decrease", "free"]
    limits = constraints(kinds, -9, 9)
    plain, kept = rows_of(), rows_of(limits)
    found = pool_of(classifier, kept)
    drawn = pool_of(classifier, plain, searches=[builders.search(max_steps=1)] * STACK)
    positive, x = found.positive, found.counterfactual
    gave_way = (positive == x).all(-1)
    assert gave_way.any()
    assert not gave_way.all()
    assert torch.equal(positive[..., 0], x[..., 0])
    assert (positive[..., 1] >= x[..., 1]).all()
    assert (positive[..., 2] <= x[..., 2]).all()
    # Immature tuples keep the positive that was drawn, mature ones its free feature.
    assert torch.equal(found.target, drawn.target)
    assert torch.equal(positive[gave_way], drawn.positive[gave_way])
    assert torch.equal(positive[..., 3], drawn.positive[..., 3])
    assert not torch.equal(positive, drawn.positive)


def test_cells_without_counterfactuals_carry_observed_rows(rows, classifier):
    mixed = [objective(), vanilla(), objective(1.0, 0.0, 0.25, 0.0)]
    found, full = pool_of(classifier, rows, mixed), pool_of(classifier, rows)
    assert torch.equal(found.counterfactual[1], found.positive[1])
    for cell in (0, 2):
        assert torch.equal(found.counterfactual[cell], full.counterfactual[cell])
        assert torch.equal(found.nascent[cell], full.nascent[cell])
    places(rows, found.nascent, 1)
    for name in ("mature_share", "search_steps", "broken_rows"):
        assert torch.isnan(getattr(found, name)).tolist() == [False, True, False]


def test_broken_rows_are_counted_and_replaced(rows):
    class Broken(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = builders.mlp(STACK)

        def forward(self, x):
            return self.inner(x) + 0 * (1.0 - x[..., :1]).sqrt()

    never = [builders.search(maturity=Never(), max_steps=1, step_size=1e-12)] * STACK
    found = pool_of(Broken(), rows, searches=never, count=70)
    factual = pool_of(builders.mlp(STACK), rows, searches=never, count=70).nascent
    expected = (factual[..., 0] > 1.0).sum(1).double()
    assert (expected > 0).all()
    assert torch.equal(found.broken_rows, expected)
    assert torch.isfinite(found.counterfactual).all()
    assert torch.isfinite(found.nascent).all()


def test_nothing_of_the_pool_has_gradients(rows, classifier):
    found = pool_of(classifier, rows)
    assert not any(getattr(v, "requires_grad", False) for v in vars(found).values())

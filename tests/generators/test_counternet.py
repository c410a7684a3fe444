"""A generator that asks the head of a model."""

import pytest
import torch

from cftrain.advice.cutoff import deciding
from cftrain.counterfactuals.categories import Categories, Free, Snap, valid_categories
from cftrain.counterfactuals.energy import target_probability
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.data.constraints import Constraints
from cftrain.errors import ConfigError, ModelError
from cftrain.generators.counternet import OfHead
from tests import builders
from tests.builders import CLASSES, constraints, headed, integers, normal
from tests.console import TINY_MOONS, call, read, run_of

STACK, ROWS, FEATURES = 2, 40, 6
KINDS = ["free", "immutable", "increase", "decrease", "free", "free"]
LIMITS = constraints(KINDS, -0.1, 0.1, groups=((4, 5),))
FACTUAL = normal(STACK, ROWS, FEATURES, seed=3)
TARGET = integers(CLASSES, STACK, ROWS, seed=4)
OF_HEAD = OfHead(name="counternet", space=FeatureSpace())


def searched(
    limits: Constraints,
    categories: Categories | None = None,
    model: torch.nn.Module | None = None,
    threshold: float = 0.75,
) -> SearchResult:
    search = builders.search(
        OF_HEAD, categories=categories or Free(), threshold=threshold
    )
    model = headed(STACK, features=FEATURES) if model is None else model
    return search(model, FACTUAL, TARGET, constraints=limits)


def test_the_answer_is_that_of_the_head_and_takes_one_step():
    limits = builders.free(FEATURES)
    model = headed(STACK, features=FEATURES)
    found = searched(limits, model=model, threshold=0.999)
    torch.testing.assert_close(found.counterfactual, model.answers(FACTUAL, TARGET))
    assert (found.steps == 1).all()
    assert not found.mature.any()
    found = searched(limits, model=model, threshold=1e-6)
    assert torch.equal(found.counterfactual, FACTUAL), "mature as it is"


def test_a_mature_answer_is_one_that_the_model_is_sure_of():
    model = headed(STACK, features=FEATURES, scale=3.0)
    found = searched(builders.free(FEATURES), model=model, threshold=0.6)
    sure = target_probability(model(found.counterfactual), TARGET) >= 0.6
    assert torch.equal(sure, found.mature)
    assert 0 < sure.double().mean() < 1


@pytest.mark.parametrize("categories", [Free(), Snap()], ids=["free", "snap"])
def test_constraints_hold_exactly(categories):
    """In a box that most answers would leave."""
    found = searched(LIMITS, categories, threshold=0.999)
    moved = (found.counterfactual != FACTUAL).any(-1)
    assert moved.all()
    assert torch.equal(found.counterfactual[..., 1], FACTUAL[..., 1])
    assert (found.counterfactual[..., 2] >= FACTUAL[..., 2]).all()
    assert (found.counterfactual[..., 3] <= FACTUAL[..., 3]).all()
    free = found.counterfactual[..., 0]
    assert free.abs().max() <= 0.1
    assert (free.abs() == 0.1).any()


def test_categories_are_shares_of_their_levels_or_one_of_them():
    wide = constraints(KINDS, -9, 9, groups=((4, 5),))
    soft = searched(wide, threshold=0.999).counterfactual[..., 4:]
    torch.testing.assert_close(soft.sum(-1), torch.ones(STACK, ROWS).double())
    assert (soft > 0).all()
    found = searched(wide, Snap(), threshold=0.999)
    assert valid_categories(found.counterfactual, wide).all()
    assert torch.equal(found.counterfactual[..., 4:].argmax(-1), soft.argmax(-1))


def test_a_category_that_may_not_move_stays():
    limits = constraints(["free"] * 4 + ["immutable"] * 2, -9, 9, groups=((4, 5),))
    found = searched(limits, threshold=0.999).counterfactual
    assert torch.equal(found[..., 4:], FACTUAL[..., 4:])


def test_a_decision_by_a_threshold_has_the_same_answers():
    model = headed(STACK, features=FEATURES, classes=CLASSES)
    shift = torch.tensor([0.0, 0.5, 0.0], dtype=torch.float64)
    decided = deciding(model, shift)
    torch.testing.assert_close(decided(FACTUAL), model(FACTUAL) + shift)
    limits = builders.free(FEATURES)
    found, plain = (
        searched(limits, model=each, threshold=0.999) for each in (decided, model)
    )
    torch.testing.assert_close(found.counterfactual, plain.counterfactual)


def test_a_model_without_a_head_is_refused():
    with pytest.raises(ModelError, match=r"answers with counterfactuals itself"):
        searched(LIMITS, model=builders.mlp(STACK, features=FEATURES))


ASKED = ("model=counternet", "objective=counternet", "generator=counternet")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("objective=counternet",), "model: expected one with a head"),
        (("generator=counternet",), "model: expected one with a head"),
        (("model=counternet", "generator=counternet"), "objective.head_weight"),
        (("objective.head_distance_weight=1",), "objective.head_distance_weight"),
        (("model=ensemble", "objective=counternet"), "model: expected one with a head"),
        ((*ASKED, "generator/space=latent"), "generator.space: expected features"),
    ],
)
def test_what_does_not_go_together_is_a_mistake_of_the_configuration(words, told):
    with pytest.raises(ConfigError) as caught:
        read(*words)
    assert any(mistake.startswith(told) for mistake in caught.value.mistakes)


def test_a_baseline_has_no_head_to_be_evaluated_by(tmp_path):
    words = (*TINY_MOONS, *ASKED, "evaluation/generator=counternet")
    found = call("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert found.message.startswith("compare: expected none (compare=none) for an")


def test_the_objective_needs_no_search():
    run = run_of("model=counternet", "objective=counternet")
    assert run.generator.name == "ecco"
    assert run.objective.name == "counternet"
    assert not run.objective.needs_counterfactuals

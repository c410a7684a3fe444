"""Weights of classes: against torch and scikit-learn, and each cell by its own rows."""

from dataclasses import replace

import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.autograd import gradcheck

from cftrain import stacking
from cftrain.config.identity import describe
from cftrain.data.sampling import class_index
from cftrain.errors import ConfigError, StackError
from cftrain.grid.cells import cell
from cftrain.objectives.batch import Batch
from cftrain.objectives.class_weights import class_mean, class_weights
from cftrain.objectives.naming import PARTS
from cftrain.objectives.objective import Objective
from cftrain.training.run import rebuild
from cftrain.training.stack import train
from tests.builders import integers, normal, objective, stacked
from tests.console import TINY_MOONS, run_of

STACK, OBSERVED, TUPLES, CLASSES = 2, 40, 15, 3
NAMES = ("no", "yes", "perhaps")
WEIGHTS = (0.5, 2.0, 7.0)
LOGITS = normal(STACK, OBSERVED + 3 * TUPLES, CLASSES, seed=1)
LABELS = integers(CLASSES, STACK, OBSERVED, seed=2)
UNEVEN = torch.tensor([[60, 30, 10], [10, 20, 70]])

NO_ROWS = torch.zeros(STACK, 0, dtype=torch.long)


def batch(tuples: int = TUPLES) -> Batch:
    return Batch(
        logits=LOGITS[:, : OBSERVED + 3 * tuples],
        observed_label=LABELS,
        nascent_label=integers(CLASSES, STACK, TUPLES, seed=3)[:, :tuples],
        observed_weight=None,
        nascent_weight=None,
        target=integers(CLASSES, STACK, TUPLES, seed=4)[:, :tuples],
        ridge_share=torch.ones(STACK, tuples, dtype=torch.float64),
        margin=torch.zeros(STACK, tuples, dtype=torch.float64),
        misalignment=torch.zeros(STACK, 0, dtype=torch.float64),
        squared_slope=torch.zeros(STACK, 0, dtype=torch.float64),
        recourse_target=NO_ROWS,
        drawn_place=NO_ROWS,
        head_loss=torch.zeros(STACK, 0, dtype=torch.float64),
        head_distance=torch.zeros(STACK, 0, dtype=torch.float64),
    )


def fitted(chosen, counts: torch.Tensor = UNEVEN) -> Objective:
    return objective(class_weights=chosen).fitted(counts, NAMES)


def torch_loss(logits, labels, weights) -> float:
    """The mean loss of one cell's rows as torch has it."""
    weights = torch.as_tensor(weights, dtype=torch.float64)
    return torch.nn.CrossEntropyLoss(weight=weights)(logits, labels).item()


@pytest.mark.parametrize("tuples", [0, TUPLES])
def test_the_class_loss_is_that_of_torch(tuples):
    found = fitted(WEIGHTS).parts(batch(tuples))[PARTS.index("class_loss")]
    expected = [
        torch_loss(LOGITS[place, :OBSERVED], LABELS[place], WEIGHTS)
        for place in range(STACK)
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_the_adversarial_loss_is_weighted_by_the_same_labels():
    data = batch()
    found = fitted(WEIGHTS).parts(data)[PARTS.index("adversarial_loss")]
    nascent = LOGITS[:, OBSERVED : OBSERVED + TUPLES]
    expected = [
        torch_loss(nascent[place], data.nascent_label[place], WEIGHTS)
        for place in range(STACK)
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_terms_of_energies_have_no_weights():
    for part in ("divergence", "ridge"):
        place = PARTS.index(part)
        found = fitted(WEIGHTS).parts(batch())[place]
        assert torch.equal(found, objective().parts(batch())[place])


def test_gradients_agree_with_finite_differences():
    logits = LOGITS[:, :OBSERVED].clone().requires_grad_()

    def loss(x: torch.Tensor) -> torch.Tensor:
        losses = torch.nn.functional.cross_entropy(x.mT, LABELS, reduction="none")
        return class_mean(losses, LABELS, class_weights(WEIGHTS, UNEVEN, NAMES))

    assert gradcheck(loss, (logits,))


@pytest.mark.parametrize("place", range(STACK))
def test_balanced_weights_are_those_of_scikit_learn(place):
    labels = torch.arange(CLASSES).repeat_interleave(UNEVEN[place])
    expected = compute_class_weight(
        "balanced", classes=torch.arange(CLASSES).numpy(), y=labels.numpy()
    )
    found = class_weights("balanced", UNEVEN, NAMES)
    assert found is not None
    assert found[place].tolist() == pytest.approx(expected.tolist(), rel=1e-15)


def test_balanced_weights_are_those_of_the_training_rows():
    labels = torch.tensor([[0, 0, 0, 1, 2, 2], [1, 1, 1, 1, 0, 2]])
    counts = class_index(labels, CLASSES).counts
    found = class_weights("balanced", counts, NAMES)
    assert found is not None
    torch.testing.assert_close(found * counts, torch.full((2, 3), 2.0).double())


def test_each_cell_has_its_own_weights_alone_as_in_a_stack():
    members = [objective(class_weights="balanced")] * STACK
    together = stacked(members).fitted(UNEVEN, NAMES).parts(batch())
    for place in range(STACK):
        own = slice(place, place + 1)
        data = stacking.select(batch(), [place])
        alone = stacked(members[:1]).fitted(UNEVEN[own], NAMES).parts(data)
        assert torch.equal(together[:, own], alone)
    assert not torch.allclose(
        together[0], fitted("balanced", UNEVEN.flip(0)).parts(batch())[0]
    )


def test_a_weight_counts_as_copies_of_the_rows():
    doubled = fitted((1.0, 2.0, 1.0)).parts(batch(0))[0]
    for place in range(STACK):
        times = 1 + (LABELS[place] == 1).long()
        logits = LOGITS[place, :OBSERVED].repeat_interleave(times, 0)
        labels = LABELS[place].repeat_interleave(times)
        expected = torch.nn.functional.cross_entropy(logits, labels)
        torch.testing.assert_close(doubled[place], expected, rtol=1e-12, atol=0)


def test_weights_may_go_by_the_names_of_classes():
    by_name = dict(zip(reversed(NAMES), reversed(WEIGHTS), strict=True))
    found = class_weights(by_name, UNEVEN, NAMES)
    expected = class_weights(WEIGHTS, UNEVEN, NAMES)
    assert found is not None
    assert expected is not None
    assert torch.equal(found, expected)
    assert objective(class_weights={0: 1.0, 1: 2.0}).class_weights == {
        "0": 1.0,
        "1": 2.0,
    }


@pytest.mark.parametrize(
    "chosen", [(1.0, 2.0), (1.0, 2.0, 3.0, 4.0), {"no": 1.0}, {"a": 1.0, "b": 2.0}]
)
def test_weights_of_other_classes_are_refused(chosen):
    with pytest.raises(ConfigError, match="weight for each of the classes 'no', 'yes'"):
        fitted(chosen)


def test_weights_that_no_rows_have_shaped_are_not_left_out():
    with pytest.raises(StackError, match=r"call fitted\(\)"):
        objective(class_weights="balanced").parts(batch())


RUN = (*TINY_MOONS, "objective.class_weights=balanced")


@pytest.mark.parametrize("kind", ["full", "adversarial", "vanilla"])
def test_a_cell_trains_as_it_does_alone(kind):
    runs = [run_of(*RUN, f"objective={kind}", f"seed={seed}") for seed in (1, 2)]
    dataset, cpu = runs[0].data.load(), torch.device("cpu")
    uneven = replace(dataset, labels=(dataset.features[:, 0] > 1.2).long())
    together = train(runs, uneven, device=cpu)
    for place, run in enumerate(runs):
        alone = train([run], uneven, device=cpu)
        plain = replace(run, objective=replace(run.objective, class_weights=None))
        other = train([plain], uneven, device=cpu)
        for name, weight in together.classifier.state_dict().items():
            found = alone.classifier.state_dict()[name][0]
            torch.testing.assert_close(weight[place], found)
            assert not torch.equal(found, other.classifier.state_dict()[name][0])


def test_without_weights_a_run_is_what_it_was():
    run = run_of(*TINY_MOONS)
    described = describe(run)
    assert "class_weights" not in described["objective"]
    assert rebuild(described) == run
    for chosen in ("balanced", (1.0, 2.0), {"0": 1.0, "1": 2.0}):
        other = replace(run, objective=replace(run.objective, class_weights=chosen))
        assert rebuild(describe(other)) == other
        assert cell(other, "data").id != cell(run, "data").id
        # A baseline minimises the same risk.
        assert cell(other, "data").pair != cell(run, "data").pair

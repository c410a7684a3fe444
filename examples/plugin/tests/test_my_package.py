"""What the classes promise, and a training with all of them."""

import torch
from my_package.elastic import Elastic
from my_package.nearest import Nearest
from my_package.spirals import Spirals

import cftrain
from cftrain.config.names import class_called
from cftrain.counterfactuals.generator import Progress
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.evaluation.reference import Reference
from cftrain.testing import check_dataset, check_generator, check_metric

ELASTIC = Elastic(
    name="elastic", space=FeatureSpace(), distance_weight=0.5, square_weight=2.0
)


def test_the_classes_keep_the_contracts_of_cftrain():
    check_generator(ELASTIC)
    check_metric(Nearest(neighbours=2))
    check_dataset(
        Spirals(
            name="spirals",
            turns=0.75,
            noise=0.02,
            training_rows=120,
            validation_rows=30,
            test_rows=60,
            generated_rows=400,
            draw_seed=42,
            order_seed=2025,
            domain_deviations=2.0,
            domain={},
            mutability={},
        )
    )


def test_registered_names_lead_to_the_classes():
    assert class_called("my_package:elastic") is Elastic
    assert class_called("my_package:nearest") is Nearest


def test_the_pull_of_a_row_that_did_not_move_is_nothing():
    logits, target = torch.randn(1, 4, 2), torch.ones(1, 4, dtype=torch.long)
    x = torch.randn(1, 4, 3)
    there = ELASTIC.loss(logits, target, x, x, progress=Progress(step=0, max_steps=10))
    moved = ELASTIC.loss(
        logits, target, x + 1, x, progress=Progress(step=0, max_steps=10)
    )
    expected = torch.nn.functional.cross_entropy(logits[0], target[0], reduction="none")
    assert torch.allclose(there[0], expected)
    assert torch.allclose(moved - there, torch.tensor(0.5 * 3 + 2.0 * 3))


def test_the_nearest_row_is_found():
    rows = torch.tensor([[0.0, 0.0], [1.0, 1.0], [3.0, 0.0]])
    reference = Reference(rows, torch.tensor([0, 1, 1]), 2)

    class Found:
        counterfactual = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]])
        target = torch.tensor([[0, 1]])

    class Individuals:
        found = Found

    assert Nearest(neighbours=1)(Individuals, reference).tolist() == [[0.0, 2.0]]
    assert Nearest(neighbours=2)(Individuals, reference)[0, 1] == 2.5
    assert Nearest(neighbours=2)(Individuals, reference)[0, 0].isnan()


def test_all_of_it_is_trained_and_measured(tmp_path):
    run = cftrain.train(
        [
            "experiment=spirals",
            "schedule.epochs=2",
            "schedule.counterfactuals=50",
            "evaluation.rounds=2",
        ],
        folder=tmp_path,
    )
    nearest = run.metrics.query("metric == 'nearest'")
    assert set(nearest.unit) == {"L1"}
    assert (nearest.value > 0).all()

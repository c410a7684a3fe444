from collections import Counter
from dataclasses import replace

import pytest
import torch

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.counterfactuals.space import Space
from cftrain.evaluation.individuals import draw_individuals, pairs, references
from cftrain.evaluation.metric import Individuals
from cftrain.evaluation.protocol import Protocol
from cftrain.models.stack_slicing import frozen, predict
from cftrain.seeding import Stream
from tests.builders import CLASSES, blobs, mlp, streams
from tests.evaluation.individuals import individuals_of, protocol


@pytest.fixture
def data():
    return blobs(rows=90)


@pytest.fixture
def classifier():
    return mlp(3, scale=2.0)


def drawn(classifier, data, made: Protocol, seed: int = 0) -> Individuals:
    cells = next(classifier.parameters()).shape[0]
    search = made.searches()[0][1]
    return draw_individuals(
        classifier, data, made, search, streams=streams(cells, seed)
    )


def test_pairs_are_of_two_classes_and_uniform():
    factual, target = pairs(30_000, 4, Stream(1))
    assert (factual != target).all()
    counts = Counter(zip(factual.tolist(), target.tolist(), strict=True))
    assert len(counts) == 12
    expected = 30_000 / 12
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 31.3  # 11 degrees of freedom, once in a thousand


def test_pairs_are_a_function_of_their_stream():
    for left, right in zip(
        pairs(50, 3, Stream(1)), pairs(50, 3, Stream(1)), strict=True
    ):
        assert torch.equal(left, right)
    assert not torch.equal(pairs(50, 3, Stream(1))[0], pairs(50, 3, Stream(2))[0])


def test_factuals_are_test_rows_that_the_own_model_predicts_so(classifier, data):
    made = protocol(individuals=20)
    found = individuals_of(classifier, data, made)
    factual_class, _ = pairs(20, CLASSES, Stream(made.pair_seed))
    predicted = predict(classifier, found.found.factual)
    wanted = factual_class.repeat(made.rounds).expand(3, -1)
    assert found.present.any()
    assert torch.equal(predicted[found.present], wanted[found.present])
    rows = {tuple(row) for row in data.test_features.tolist()}
    assert {tuple(r) for r in found.found.factual.flatten(0, 1).tolist()} <= rows
    labels = {
        tuple(row): label
        for row, label in zip(
            data.test_features.tolist(), data.test_labels.tolist(), strict=True
        )
    }
    drawn = [labels[tuple(row)] for row in found.found.factual[0].tolist()]
    assert drawn != wanted[0].tolist()  # the label is not what is asked for


def test_pairs_are_the_same_in_all_rounds_cells_and_evaluations(classifier, data):
    made = protocol()
    _, target = pairs(made.individuals, CLASSES, Stream(made.pair_seed))
    for drawn in (streams(3), streams(3, seed=50)):
        found = individuals_of(classifier, data, made, drawn)
        assert torch.equal(found.pair_target, target)
        by_round = found.by_round(found.found.target)
        assert (by_round == target).all()
        assert by_round.shape == (3, made.rounds, made.individuals)


def test_rounds_and_streams_draw_other_rows(classifier, data):
    made = protocol()
    found = individuals_of(classifier, data, made)
    by_round = found.by_round(found.found.factual)
    assert not torch.equal(by_round[:, 0], by_round[:, 1])
    other = individuals_of(classifier, data, made, streams(3, seed=50))
    assert not torch.equal(other.found.factual, found.found.factual)


def test_paired_individuals_are_labelled_rows_and_the_same_for_all(classifier, data):
    made = protocol(sampling="paired", individuals=30)
    found = drawn(classifier, data, made)
    wanted = pairs(30, CLASSES, Stream(made.pair_seed))[0].repeat(made.rounds)
    assert torch.equal(data.test_labels[found.factual_row[0]], wanted)
    assert torch.equal(found.found.factual[0], found.found.factual[2])
    other = drawn(mlp(2, seed=9), data, made, seed=50)
    assert torch.equal(other.found.factual[0], found.found.factual[0])
    by_round = found.by_round(found.factual_row)
    assert not torch.equal(by_round[:, 0], by_round[:, 1])


def test_paired_individuals_are_absent_where_nothing_is_to_explain(classifier, data):
    found = drawn(classifier, data, protocol(sampling="paired", individuals=60))
    already = predict(classifier, found.found.factual) == found.found.target
    assert already.any()
    assert torch.equal(found.present, ~already)


@pytest.mark.parametrize("sampling", ["paper", "paired"])
def test_factual_rows_are_places_of_the_split(classifier, data, sampling):
    for split in ("test", "training"):
        made = protocol(sampling=sampling, split=split)
        found = drawn(classifier, data, made)
        rows = references(data, split)[0].features[found.factual_row]
        assert torch.equal(rows, found.found.factual)


def test_held_out_rows_are_of_the_target_and_of_the_other_split(classifier, data):
    for split, features, labels in (
        ("test", data.features, data.labels),
        ("training", data.test_features, data.test_labels),
    ):
        found = drawn(classifier, data, protocol(split=split))
        label_of = dict(
            zip(map(tuple, features.tolist()), labels.tolist(), strict=True)
        )
        assert [
            label_of[tuple(row)] for row in found.held_out[1].tolist()
        ] == found.found.target[1].tolist()


def test_without_held_out_rows_of_a_class_there_are_no_numbers(classifier, data):
    lacking = replace(data, labels=data.labels.clamp(max=1))
    found = drawn(classifier, lacking, protocol())
    assert torch.equal(found.held_out.isnan().all(-1), found.found.target == 2)


def test_searching_once_gives_what_searching_each_row_gives(classifier, data):
    made = protocol(individuals=40)
    found = drawn(classifier, data, made)
    each = made.searches()[0][1](
        classifier,
        found.found.factual,
        found.found.target,
        constraints=data.constraints,
    )
    torch.testing.assert_close(found.found.counterfactual, each.counterfactual)
    assert torch.equal(found.found.steps, each.steps)
    assert torch.equal(found.found.mature, each.mature)


class Restless(Space):
    """Says that it draws, so that no two rows may share a search."""

    draws = True
    learns = fitted = sharing = encode = view = move = None


@pytest.mark.parametrize("draws", [True, False])
def test_rows_are_searched_once_unless_the_search_draws(classifier, data, draws):
    made, seen = protocol(individuals=40), []
    plain = made.searches()[0][1]
    restless = replace(plain.generator, space=Restless())

    class Spy(CounterfactualSearch):
        def __call__(self, classifier, factual, target, **context):
            seen.append(factual.shape[1])
            return plain(classifier, factual, target, **context)

    spy = Spy(
        generator=restless if draws else plain.generator,
        maturity=plain.maturity,
        descent=plain.descent,
    )
    found = draw_individuals(classifier, data, made, spy, streams=streams(3))
    rows = found.factual_row.shape[1]
    assert rows == 40 * made.rounds
    if draws:
        assert seen == [rows] * 3
    else:
        assert all(count <= 30 * (CLASSES - 1) for count in seen)


def test_cells_are_drawn_as_if_alone(classifier, data):
    for sampling in ("paper", "paired"):
        made = protocol(sampling=sampling)
        together = drawn(classifier, data, made)
        for cell in range(3):
            alone = draw_individuals(
                frozen(classifier, [cell]),
                data,
                made,
                made.searches()[0][1],
                streams=[streams(3)[cell]],
            )
            assert torch.equal(alone.factual_row[0], together.factual_row[cell])
            assert torch.equal(alone.present[0], together.present[cell])
            torch.testing.assert_close(
                alone.found.counterfactual[0], together.found.counterfactual[cell]
            )

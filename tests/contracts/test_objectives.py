import pytest

from tests.contracts.configured import names, run_with

OBJECTIVES = names("objective")


def test_the_four_of_the_paper_are_there():
    assert {"full", "energy", "adversarial", "vanilla"} <= set(OBJECTIVES)


@pytest.mark.parametrize("name", ["full", "energy", "adversarial", "vanilla"])
def test_an_objective_is_what_its_file_is_called(name):
    objective = run_with("objective", name).objective
    assert objective.name == name
    assert objective.needs_counterfactuals == (name != "vanilla")
    # Method, section 4: the published weights.
    published = {
        "full": (1.0, 0.5, 0.25, 0.1),
        "energy": (1.0, 0.5, 0.0, 0.1),
        "adversarial": (1.0, 0.0, 0.25, 0.0),
        "vanilla": (1.0, 0.0, 0.0, 0.0),
    }
    assert objective.weights[:4] == published[name]
    assert not any(objective.weights[4:]), "a term that the paper does not have"

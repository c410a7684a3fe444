from dataclasses import dataclass, replace

import pytest

from cftrain.counterfactuals.categories import Free, Relaxed, SnappedState
from cftrain.counterfactuals.maturity import Never
from cftrain.counterfactuals.space import Space
from cftrain.evaluation.protocol import Protocol
from tests.builders import blobs, generic
from tests.console import read, run_of
from tests.contracts.configured import NEEDED, names
from tests.evaluation.individuals import protocol


def configured(*overrides: str) -> Protocol:
    return read(*overrides)[1].evaluation


def test_the_published_protocol():
    """Section 1 of the evaluation of the paper, as coded by its authors."""
    made = configured()
    assert isinstance(made, Protocol)
    assert (made.rounds, made.individuals, made.split) == (100, 250, "test")
    assert made.energy_weights == (0.1, 0.5, 1.0, 5.0, 10.0)
    assert (made.search.max_steps, made.search.step_size) == (50, 0.1)
    assert made.maturity.threshold == 0.95
    assert getattr(made.generator, "distance_weight", 0) == 0
    assert made.metrics["ip_star"].length_scale == 5
    assert configured("evaluation=tabular").individuals == 100
    assert configured("evaluation=images").individuals == 25


def test_there_is_a_search_for_each_energy_weight():
    made = protocol(energy_weights=(0.1, 7.0), maturity=Never())
    weights, searches = zip(*made.searches(), strict=True)
    assert weights == (0.1, 7.0)
    for weight, search in zip(weights, searches, strict=True):
        assert search.generator == replace(made.generator, energy_weight=weight)
        assert search.maturity == Never()
        assert search.descent == made.search
        assert search.categories == made.categories


@pytest.mark.parametrize("name", names("generator"))
def test_a_protocol_takes_any_generator_by_its_name(name):
    needed = NEEDED.get(f"generator/{name}", ())
    words = (f"evaluation/generator={name}", "evaluation=full", "compare=none")
    made = configured(*needed, *words)
    assert made.generator.name == name
    assert getattr(made.generator, "distance_weight", 0) == 0
    trained = run_of(*needed, f"generator={name}").generator
    assert type(made.generator) is type(trained)
    assert made.generator.space == trained.space
    weights = [weight for weight, _ in made.searches()]
    found = [getattr(s.generator, "energy_weight", None) for _, s in made.searches()]
    assert weights == found
    assert len(weights) == (5 if "ecco" in name else 1)


def test_parts_of_a_protocol_are_chosen_as_those_of_a_run():
    """Hydra's words: the package of a group that is used in another place."""
    made = configured(
        "generator/space@evaluation.generator.space=latent",
        "categories@evaluation.categories=relaxed",
        "evaluation.generator.space.encoding=mean",
    )
    assert made.generator.space.encoding == "mean"
    assert made.categories == Relaxed(temperature=0.5)
    gallery = configured("evaluation=images", "evaluation/generator=revise").gallery
    assert (gallery.generator.name, gallery.generator.energy_weight) == ("ecco", 25)


@pytest.mark.parametrize("data", ["adult", "credit_default"])
@pytest.mark.parametrize("suffix", ["", "_protected"])
def test_where_the_paper_has_categories_its_evaluation_snaps_the_state(data, suffix):
    run, options = read(f"+experiment={data}{suffix}")
    assert options.evaluation.categories == SnappedState(extra_members={})
    assert run.categories == Free()


def test_the_authors_slip_is_an_option():
    choice = "categories@evaluation.categories=snapped_adult"
    found = read("+experiment=adult", choice)[1].evaluation.categories
    assert found == SnappedState(extra_members={"education": ("education_num",)})


def test_a_generator_without_energy_is_searched_once():
    ((weight, search),) = protocol(generator=generic(0.5)).searches()
    assert weight is None
    assert search.generator == generic(0.5)


@dataclass(frozen=True, kw_only=True)
class Fitting(Space):
    """Has to know the data before anything is searched in it, as a VAE has."""

    ready: bool = False

    def fitted(self, rows, cache):
        return replace(self, ready=True)

    draws = learns = sharing = encode = view = move = None


def test_all_generators_of_a_protocol_get_to_know_the_data(tmp_path):
    fitting = replace(generic(), space=Fitting())
    gallery = replace(configured("evaluation=images").gallery, generator=fitting)
    made = protocol(generator=fitting, gallery=gallery)
    ready = made.fitted(blobs(), tmp_path)
    assert ready.generator.space.ready
    assert ready.gallery.generator.space.ready

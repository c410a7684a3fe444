"""From YAML to a frozen run: what is read, and what is said of what cannot be."""

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

import cftrain
from cftrain.commands.command_line import options
from cftrain.commands.command_line.options import Options
from cftrain.config import tree
from cftrain.counterfactuals.maturity import Threshold
from cftrain.data.synthetic import Moons
from cftrain.errors import ConfigError
from cftrain.generators.ecco import Ecco
from cftrain.models.mlp import Mlp
from cftrain.training.run import Run
from tests.console import compose, read, run_of

INFINITE = float("inf")
NAN = float("nan")


Values = dict[str, Any]


@pytest.fixture(scope="module")
def default() -> Values:
    """The default configuration as plain values."""
    return plain(compose())


def plain(made: DictConfig) -> Values:
    values = OmegaConf.to_container(made, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def changed(values: Values, changes: Values) -> Values:
    """Other values for dotted keys, which may be new."""
    made = copy.deepcopy(values)
    for key, value in changes.items():
        parent, name = place_of(key, made)
        parent[name] = value
    return made


def place_of(key: str, values: Values) -> tuple[Any, Any]:
    """The innermost collection and the name or index of the key in it."""
    *path, name = key.split(".")
    parent: Any = values
    for step in path:
        parent = parent[int(step) if isinstance(parent, list) else step]
    return parent, int(name) if isinstance(parent, list) else name


def mistakes(values: Values) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        options.read(OmegaConf.create(values), Options)
    return caught.value.mistakes


def only_mistake(values: Values, key: str, value: Any) -> str:
    (mistake,) = mistakes(changed(values, {key: value}))
    return mistake


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys of all plain values."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in pairs:
        if isinstance(value, dict | list):
            yield from leaves(value, f"{prefix}{name}.")
        elif name != "_target_":
            yield f"{prefix}{name}", value


def test_the_default_is_the_run_that_the_files_say():
    run, settings = read()
    assert isinstance(run, Run)
    assert isinstance(run.data, Moons)
    assert run.model == Mlp(name="mlp", hidden=(32,), activation="relu")
    assert isinstance(run.generator, Ecco)
    assert run.generator.energy_weight == 5
    assert run.maturity == Threshold(threshold=0.75)
    assert (run.search.max_steps, run.search.step_size) == (30, 0.1)
    assert run.objective.weights == (1, 0.5, 0.25, 0.1, *[0] * 7)
    assert settings.compare.weights == (1, *[0] * 10)
    assert (settings.name, settings.device) == ("moons", "cpu")
    assert settings.overwrite is False


def test_the_final_hyperparameters_of_the_paper():
    mnist, chosen = read("+experiment=mnist")
    assert mnist.maturity == Threshold(threshold=0.5)
    assert mnist.objective.ridge_weight == 0.01
    assert chosen.evaluation.gallery is not None
    moons = run_of("+experiment=moons")
    assert moons.maturity == Threshold(threshold=0.9)
    assert moons.objective.ridge_weight == 0.25


@pytest.mark.parametrize(
    ("objective", "weight"),
    [("full", 0.25), ("energy", 0.25)]
    + [(name, 0) for name in ("adversarial", "vanilla", "pgd", "aligned")],
)
def test_the_ridge_that_was_tuned_is_for_the_objectives_that_have_one(
    objective, weight
):
    run = run_of("+experiment=moons", f"objective={objective}")
    assert run.objective.ridge_weight == weight


def test_a_ridge_that_is_typed_stays():
    run = run_of("+experiment=moons", "objective.ridge_weight=0.5")
    assert run.objective.ridge_weight == 0.5


def test_interpolations_follow_overrides():
    assert read("data.name=other")[1].name == "other"
    assert read("data.name=other", "name=mine")[1].name == "mine"


def test_all_mistakes_come_at_once_each_with_key_expectation_and_value(default):
    found = mistakes(
        changed(
            default,
            {
                "seed": -3,
                "data.noise": -0.1,
                "model.activation": "rely",
                "generator.energy_weight": "strong",
                "maturity.threshold": 1.5,
                "search.max_steps": 0,
                "objective.ridge_weight": NAN,
                "schedule.epoch": 7,
                "evaluation.metrics.ip_star.length_scale": 0.0,
                "overwrite": "perhaps",
            },
        )
    )
    expected = {
        "seed": ("a whole number >= 0", "-3"),
        "data.noise": ("a number >= 0", "-0.1"),
        "model.activation": ("one of relu, swish, tanh (did you mean 'relu'?)", "rely"),
        "generator.energy_weight": ("a number >= 0", "'strong'"),
        "maturity.threshold": ("a number in (0, 1)", "1.5"),
        "search.max_steps": ("a whole number >= 1", "0"),
        "objective.ridge_weight": ("a number >= 0", "nan"),
        "schedule.epoch": ("(did you mean 'epochs'?)", "an unknown key"),
        "evaluation.metrics.ip_star.length_scale": ("a number > 0", "0.0"),
        "overwrite": ("true or false", "'perhaps'"),
    }
    assert sorted(mistake.partition(": ")[0] for mistake in found) == sorted(expected)
    for mistake in found:
        key, _, said = mistake.partition(": ")
        expectation, value = expected[key]
        assert said.startswith("expected ")
        assert expectation in said
        assert said.partition(", got ")[2].strip("'") == value.strip("'")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("objective.class_weight", [-0.1, NAN, INFINITE]),
        ("objective.divergence_weight", [-1e-9, NAN, INFINITE]),
        ("objective.adversarial_weight", [-1, NAN, INFINITE]),
        ("objective.ridge_weight", [-1, NAN, INFINITE, -INFINITE]),
        ("compare.ridge_weight", [-1, NAN]),
        ("generator.energy_weight", [-1.0, NAN, INFINITE]),
        ("generator.distance_weight", [-1.0, NAN, INFINITE]),
        ("maturity.threshold", [0, 1, 0.0, 1.0, -0.1, 1.1, NAN, INFINITE]),
        ("search.epsilon", [0, -0.1, NAN, INFINITE]),
        ("search.step_size", [0, -0.1, NAN, INFINITE]),
        ("search.max_steps", [0, -1]),
        ("schedule.epochs", [0, -1]),
        ("schedule.batch_rows", [0]),
        ("schedule.counterfactuals", [0]),
        ("schedule.burn_in", [-0.01, 1.01, NAN]),
        ("schedule.optimiser.learning_rate", [0, -1, NAN, INFINITE]),
        ("schedule.optimiser.beta1", [0, 1, NAN]),
        ("data.noise", [-1, NAN, INFINITE]),
        ("data.training_rows", [0, -1]),
        ("data.validation_rows", [0]),
        ("data.test_rows", [0]),
        ("data.domain_deviations", [0, -1, NAN]),
        ("evaluation.rounds", [0]),
        ("evaluation.individuals", [0]),
        ("evaluation.maturity.threshold", [0, 1]),
        ("evaluation.energy_weights", [[-1.0], [0.1, NAN]]),
        ("evaluation.metrics.fgsm_accuracy.epsilons", [[-0.1], [INFINITE]]),
        ("seed", [-1]),
    ],
)
def test_values_beyond_their_range_are_mistakes(default, key, values):
    for value in values:
        said = only_mistake(default, key, value)
        bad = value[-1] if isinstance(value, list) else value
        assert said.startswith(f"{key}")
        assert ": expected a" in said
        assert float(said.partition(", got ")[2]) == pytest.approx(bad, nan_ok=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objective.ridge_weight", 0),
        ("schedule.burn_in", 0),
        ("schedule.burn_in", 1),
        ("maturity.threshold", 1e-9),
        ("search.max_steps", 1),
        ("schedule.counterfactuals", 3000),
        ("schedule.batch_rows", 3000),
        ("data.domain_deviations", None),
        ("compare", None),
        ("seed", 0),
    ],
)
def test_the_ends_of_the_ranges_are_fine(default, key, value):
    options.read(OmegaConf.create(changed(default, {key: value})), Options)


@pytest.mark.parametrize("key", ["schedule.counterfactuals", "schedule.batch_rows"])
def test_no_more_rows_than_there_are(default, key):
    with pytest.raises(ConfigError) as caught:
        options.build(
            tree.plain(OmegaConf.create(changed(default, {key: 3001}))), Options
        )
    (said,) = caught.value.mistakes
    assert said.startswith(f"{key}: expected at most the number of training rows")
    assert said.endswith("(data.training_rows=3000), got 3001")


def test_relations_are_not_judged_by_broken_parts(default):
    made = changed(
        default, {"data.training_rows": "many", "schedule.counterfactuals": 10**6}
    )
    (said,) = mistakes(made)
    assert said.startswith("data.training_rows:")


def test_whole_numbers_serve_as_floats_and_nothing_else_is_converted(default):
    made = changed(
        default, {"generator.energy_weight": 5, "evaluation.energy_weights": [1, 2]}
    )
    run, chosen = options.read(OmegaConf.create(made), Options)
    assert type(run.generator.energy_weight) is float
    assert [type(weight) for weight in chosen.evaluation.energy_weights] == [float] * 2


WRONG_KINDS = {
    bool: ["true", 1, 1.0, None, [], {"a": 1}],
    int: ["1", True, 1.0, 1.5, [], {"a": 1}],
    float: ["0.5", True, "x", [0.5], {"a": 1}],
    str: [7, 0.5, True, [], {"a": 1}],
}


@pytest.mark.parametrize("number", range(5))
def test_every_value_of_another_kind_is_a_mistake(default, number):
    """All values of the default configuration at once, with one mistake for each."""
    wrong = {
        key: WRONG_KINDS[type(value)][number]
        for key, value in leaves(default)
        if value is not None
    }
    assert len(wrong) > 60
    found = mistakes(changed(default, wrong))
    assert sorted(said.partition(": expected ")[0] for said in found) == sorted(wrong)


def test_every_value_is_given_by_the_files(default):
    """There are no other defaults: whatever is missing is a mistake."""
    for key, _ in leaves(default):
        made = copy.deepcopy(default)
        parent, name = place_of(key, made)
        if isinstance(parent, list):
            continue
        del parent[name]
        assert mistakes(made) == (f"{key}: expected a value, got none",)


def test_null_is_no_value_where_none_is_foreseen(default):
    for key in ("seed", "model", "objective", "schedule.epochs", "data.shift", "name"):
        assert only_mistake(default, key, None).endswith("got None"), key


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("sede", "seed"),
        ("objectives", "objective"),
        ("search.maxsteps", "max_steps"),
        ("schedule.optimiser.learningrate", "learning_rate"),
        ("evaluation.metrics.ip_star.lenght_scale", "length_scale"),
        ("data.trainings_rows", "training_rows"),
    ],
)
def test_unknown_keys_get_a_suggestion(default, key, close):
    said = only_mistake(default, key, 1)
    assert said.startswith(f"{key}: expected one of ")
    assert f"(did you mean {close!r}?)" in said


def test_an_unknown_key_like_no_other_gets_the_list_only(default):
    said = only_mistake(default, "search.zzz", 1)
    assert "did you mean" not in said
    assert "step_size, max_steps, epsilon" in said


FOREIGN = [
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "cftrain",
    "cftrain.",
    "cftrain.cli.main",
    "cftrain.training.run.describe",
    "cftrain.no_such_module.Thing",
    "cftrain.models.mlp.NoSuchThing",
    "cftrain.config.build.importlib.import_module",
    "cftrain.config.build.OmegaConf",
    "cftrainer.models.Mlp",
    "",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_targets_that_are_no_class_of_ours_are_refused(default, target):
    said = only_mistake(default, "model._target_", target)
    expected, got = said.split(", got ")
    assert expected == "model: expected a node whose _target_ is a ModelSpec of cftrain"
    package = target.partition(".")[0]
    hint = f" ({package} is no plug-in in use: install it as one, or say --plugins "
    outside = "." in target and package != "cftrain"
    assert got == repr(target) + (
        f"{hint}{package} if you trust it)" if outside else ""
    )


@pytest.mark.parametrize(
    "key",
    ["model", "data", "schedule.optimiser", "evaluation.generator", "compare"],
)
def test_no_target_of_other_code_is_imported_or_called(
    default, key, tmp_path, monkeypatch
):
    (tmp_path / "foreign_code.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    touched = tmp_path / "touched"
    node = {"_target_": "foreign_code.Thing", "command": f"touch {touched}"}
    assert "foreign_code.Thing" in only_mistake(default, key, node)
    node = {"_target_": "os.system", "command": f"touch {touched}"}
    assert "os.system" in only_mistake(default, key, node)
    assert "foreign_code" not in sys.modules
    assert not touched.exists()


def test_a_class_of_ours_in_the_wrong_place_is_refused(default):
    assert only_mistake(default, "generator", default["model"]) == (
        "generator: expected a node whose _target_ is a Generator of cftrain, got "
        "'cftrain.models.mlp.Mlp'"
    )
    assert only_mistake(default, "generator", 3).endswith("of cftrain, got 3")
    assert only_mistake(default, "generator", {"name": "x"}).startswith(
        "generator: expected a node whose _target_ is a Generator of cftrain, got "
    )


def test_an_abstract_class_is_refused(default):
    node = dict(default["data"])
    node["_target_"] = "cftrain.data.generated.Generated"
    del node["shift"], node["noise"]
    assert only_mistake(default, "data", node).startswith(
        "data: expected a node whose _target_ is a DatasetSpec of cftrain"
    )


def test_the_root_is_a_run(default):
    said = only_mistake(default, "_target_", "os.system")
    assert said == "_target_: expected 'run', got 'os.system'"


def test_mistakes_that_a_part_finds_itself_come_with_the_others():
    values = plain(compose("data=overlapping"))
    made = changed(values, {"data.deviations": [1.0], "seed": -1})
    found = mistakes(made)
    assert any("data.deviations: expected 2 numbers" in said for said in found), found
    assert any(said.startswith("seed: ") for said in found), found


def test_seeds_fit_into_the_tables_of_results(default):
    assert only_mistake(default, "seed", 2**63).startswith("seed: expected ")


def test_lists_have_their_length_and_items_their_place(default):
    said = only_mistake(default, "data.shift", [1.0])
    assert said == "data.shift: expected a list of 2, got [1.0]"
    said = only_mistake(default, "data.shift", [1.0, "a"])
    assert said == "data.shift.1: expected a finite number, got 'a'"
    found = mistakes(changed(default, {"model.hidden": [0, 3, 2.5]}))
    assert found == (
        "model.hidden.0: expected a whole number >= 1, got 0",
        "model.hidden.2: expected a whole number >= 1, got 2.5",
    )
    assert only_mistake(default, "model.hidden", 32).endswith(
        "model.hidden: expected a list, got 32"
    )


@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
def test_numbers_without_a_range_are_finite_too(default, value):
    said = only_mistake(default, "data.shift", [1.0, value])
    assert said == f"data.shift.1: expected a finite number, got {value}"
    said = only_mistake(default, "data.domain", {"x1": [value, 1]})
    assert said == f"data.domain.x1.0: expected a finite number, got {value}"


def test_mappings_are_checked_item_by_item(default):
    said = only_mistake(default, "evaluation.metrics.cost", 1)
    assert said.startswith("evaluation.metrics.cost: expected a node whose _target_")
    assert only_mistake(default, "evaluation.metrics", 4) == (
        "evaluation.metrics: expected a mapping, got 4"
    )
    said = only_mistake(default, "data.mutability", {"x1": "frozen"})
    assert said.startswith("data.mutability.x1: expected one of free, immutable")


def test_reading_changes_nothing(default):
    made = OmegaConf.create(default)
    assert options.read(made, Options) == options.read(made, Options)
    assert plain(made) == default


def test_a_run_is_frozen():
    with pytest.raises(AttributeError):
        run_of().seed = 3


def test_the_tree_is_beside_the_package_or_inside(tmp_path, monkeypatch):
    package = tmp_path / "site" / "cftrain"
    package.mkdir(parents=True)
    monkeypatch.setattr(cftrain, "__file__", str(package / "__init__.py"))
    assert tree.folder() == tmp_path / "site" / "conf"
    (package / "conf").mkdir()
    assert tree.folder() == package / "conf"
    assert Path(tree.folder()).is_dir()

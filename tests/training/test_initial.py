"""Trainings that start from given weights."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from cftrain.config.identity import describe
from cftrain.data.encoding import identity_codec
from cftrain.errors import ConfigError
from cftrain.grid.cells import Cell, cell
from cftrain.grid.plan import signature
from cftrain.grid.task import Task
from cftrain.grid.worker import Workplace, perform
from cftrain.results.weights import weights_path
from cftrain.training.initial import initial_weights, start_from
from cftrain.training.run import Run, rebuild
from cftrain.training.stack import initial, train
from tests.console import TINY_MOONS, run_of
from tests.training.test_keeping import assert_goes_on

CPU = torch.device("cpu")
SHAPES = {"0.weight": (32, 2), "0.bias": (32,), "2.weight": (2, 32), "2.bias": (2,)}


def plain(*words: str) -> Run:
    return run_of(*TINY_MOONS, "schedule.epochs=1", *words)


def written(path: Path, changes: dict[str, Tensor | None] | None = None) -> Path:
    """A file with weights for the run, some of them changed or left out."""
    weights = {name: torch.full(shape, 0.1) for name, shape in SHAPES.items()}
    changed = {**weights, **(changes or {})}
    kept = {name: value for name, value in changed.items() if value is not None}
    safetensors.torch.save_file(kept, path)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, list[Cell]]:
    """A folder with a vanilla model for each of two seeds, and a full one."""
    folder = tmp_path_factory.mktemp("vanilla")
    runs = [plain("objective=vanilla", f"seed={seed}") for seed in (1, 2)]
    runs.append(plain("seed=1"))
    cells = [cell(run, run.data.identity()) for run in runs]
    place = Workplace(folder=folder, name="test", device="cpu")
    for each in cells:
        task = Task(train=(each,), evaluate=(), seconds=0.0)
        assert perform(task, place).failed == {}
    return folder, cells


def test_a_training_starts_from_the_weights_of_the_file(tmp_path):
    """With a learning rate that changes nothing it ends with them as well."""
    path = written(tmp_path / "w.safetensors", {"0.weight": torch.rand(32, 2)})
    still = "schedule.optimiser.learning_rate=1e-30"
    run = plain(f"init_from={path}", still)
    trained = train([run], run.data.load(), device=CPU).classifier.state_dict()
    for name, value in safetensors.torch.load_file(path).items():
        assert torch.equal(trained[name][0], value)


def test_each_cell_of_a_stack_starts_from_its_own(tmp_path):
    first = plain(f"init_from={written(tmp_path / 'a.safetensors')}")
    second = plain("seed=5")
    assert signature(first) == signature(second)
    dataset = first.data.load()
    whole = initial([first, second], dataset)
    random = whole.state_dict()["0.weight"][1].clone()
    start_from(whole, [first.init_from, None], dataset.units)
    assert (whole.state_dict()["0.weight"][0] == 0.1).all()
    assert torch.equal(whole.state_dict()["0.weight"][1], random)


def test_a_run_is_what_the_weights_are_and_not_where_they_lie(tmp_path):
    one = plain(f"init_from={written(tmp_path / 'a.safetensors')}")
    same = plain(f"init_from={written(tmp_path / 'b.safetensors')}")
    other = plain(
        f"init_from={written(tmp_path / 'c.safetensors', {'2.bias': torch.ones(2)})}"
    )
    assert describe(one) == describe(same)
    assert describe(one) != describe(other)
    assert "init_from" not in describe(plain())
    again = rebuild(describe(one, remembered=True))
    assert again.init_from == one.init_from


def test_weights_that_are_no_longer_there_are_told(tmp_path):
    path = written(tmp_path / "a.safetensors")
    run = plain(f"init_from={path}")
    written(path, {"2.bias": torch.ones(2)})
    with pytest.raises(ConfigError, match="to be those that the run was described"):
        run.init_from.read()
    path.unlink()
    with pytest.raises(ConfigError, match="which is not there"):
        run.init_from.read()
    with pytest.raises(ConfigError, match="nobody knows where they are"):
        rebuild(describe(run)).init_from.read()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"2.bias": None}, "weights of the model, .*2.bias.*, got"),
        ({"extra": torch.ones(1)}, "got .*extra"),
        ({"2.bias": torch.ones(3)}, r"2.bias of shape \(2,\), got \(3,\)"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path, changes, told):
    run = plain(f"init_from={written(tmp_path / 'w.safetensors', changes)}")
    with pytest.raises(ConfigError, match=told):
        train([run], run.data.load(), device=CPU)


@pytest.mark.parametrize(
    "dtype",
    [
        torch.int8,
        torch.int64,
        torch.bool,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.complex64,
    ],
)
def test_weights_of_another_type_are_refused(tmp_path, dtype):
    changes = {"2.bias": torch.ones(2).to(dtype)}
    run = plain(f"init_from={written(tmp_path / 'w.safetensors', changes)}")
    told = f"2.bias of type torch.float16 or .*, got {dtype}; convert them first"
    with pytest.raises(ConfigError, match=told):
        train([run], run.data.load(), device=CPU)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_floats_become_those_of_the_model(tmp_path, dtype):
    changes = {"2.bias": torch.tensor([0.1, -3.0], dtype=dtype)}
    run = plain(f"init_from={written(tmp_path / 'w.safetensors', changes)}")
    dataset = run.data.load()
    model = initial([run], dataset)
    start_from(model, [run.init_from], dataset.units)
    found = model.state_dict()["2.bias"][0]
    assert torch.equal(found, changes["2.bias"].float())


def test_numbers_that_the_model_cannot_hold_are_refused(tmp_path):
    changes = {"2.bias": torch.tensor([1e300, 0.0], dtype=torch.float64)}
    run = plain(f"init_from={written(tmp_path / 'w.safetensors', changes)}")
    told = r"2.bias of numbers that torch.float32 can hold, got larger ones of .*64"
    with pytest.raises(ConfigError, match=told):
        train([run], run.data.load(), device=CPU)


def test_what_is_no_file_of_finite_weights_is_refused(tmp_path):
    (tmp_path / "text").write_text("no weights")
    broken = written(tmp_path / "nan", {"2.bias": torch.full((2,), torch.nan)})
    for place in (tmp_path / "text", broken, tmp_path / "absent"):
        with pytest.raises(ConfigError, match="init_from: expected a safetensors file"):
            plain(f"init_from={place}")


@pytest.mark.parametrize("place", ["3", "[a,b]", "true"])
def test_what_is_no_place_is_refused(place):
    with pytest.raises(ConfigError, match="the name of a file or of a folder"):
        plain(f"init_from={place}")


@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_folder_it_is_the_vanilla_model_of_the_same_seed(finished, seed):
    folder, cells = finished
    run = plain(f"seed={seed}")
    found = initial_weights(str(folder), run)
    assert found.path == str(weights_path(folder, cells[seed - 1].id).resolve())


def test_a_folder_without_such_a_model_is_told(finished):
    for words in (
        ("seed=3",),
        ("seed=1", "model=linear"),
        ("data.noise=0.3", "seed=1"),
    ):
        with pytest.raises(ConfigError, match=r"one vanilla model .*, got 0"):
            initial_weights(str(finished[0]), plain(*words))


def test_inputs_that_are_encoded_in_another_way_are_told(finished, capsys):
    run = plain("seed=1")
    start, dataset = initial_weights(str(finished[0]), run), run.data.load()
    model = initial([run], dataset)
    start_from(model, [start], dataset.units)
    assert capsys.readouterr().err == ""
    start_from(model, [start], identity_codec(("other", "x2")))
    assert "encoded in another way" in capsys.readouterr().err


def test_an_interrupted_training_goes_on(tmp_path):
    path = written(tmp_path / "w.safetensors", {"0.weight": torch.rand(32, 2)})
    assert_goes_on(tmp_path, 2, f"init_from={path}")

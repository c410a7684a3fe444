"""Configurations that somebody sent: none of them executes, writes outside or hangs.

Every attack would make the folder `marker`, or write somewhere below `canary`.
"""

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.console import TINY_MOONS, Outcome, call, files

CALLED = "{_target_: os.mkdir, path: MARKER}"
FACTORY = "{(): os.mkdir, path: MARKER}"
SEVERAL = ("-m", "seed=1,2")


@dataclass(frozen=True)
class Attack:
    """Files of a folder that is named by `--config-dir`, and what the user types."""

    files: dict[str, str]
    words: tuple[str, ...] = ("+experiment=evil",)
    said: str = "expected nothing about Hydra itself"


def experiment(text: str, *words: str, **more: str) -> Attack:
    named = {f"{name.replace('__', '/')}.yaml": value for name, value in more.items()}
    return Attack(
        files={"experiment/evil.yaml": f"# @package _global_\n{text}\n", **named},
        words=(*words, "+experiment=evil"),
    )


def logging(handlers: str) -> str:
    return f"{{version: 1, root: {{handlers: [h]}}, {handlers}}}"


ATTACKS = {
    "callback": experiment(f"hydra: {{callbacks: {{x: {CALLED}}}}}"),
    "callback of a sweep": experiment(
        f"hydra: {{callbacks: {{x: {CALLED}}}}}", *SEVERAL
    ),
    "handler of the job's log": experiment(
        f"hydra: {{job_logging: {logging(f'handlers: {{h: {FACTORY}}}')}}}"
    ),
    "handler of Hydra's log": experiment(
        f"hydra: {{hydra_logging: {logging(f'handlers: {{h: {FACTORY}}}')}}}"
    ),
    "filter of a log": experiment(
        f"hydra: {{job_logging: {{version: 1, root: {{filters: [f]}}, "
        f"filters: {{f: {FACTORY}}}}}}}"
    ),
    "formatter of a log": experiment(
        f"hydra: {{job_logging: {{version: 1, root: {{handlers: []}}, "
        f"formatters: {{f: {FACTORY}}}}}}}"
    ),
    "file of a log": experiment(
        "hydra: {job_logging: "
        + logging("handlers: {h: {class: logging.FileHandler, filename: CANARY/log}}")
        + "}"
    ),
    "launcher": experiment(f"hydra: {{launcher: {CALLED}}}", *SEVERAL),
    "sweeper": experiment(f"hydra: {{sweeper: {CALLED}}}", *SEVERAL),
    "sweep of Hydra's own keys": experiment(
        "hydra: {sweeper: {params: {+hydra.callbacks.x._target_: os.getcwd}}}", *SEVERAL
    ),
    "a sweep nobody asked for": experiment(
        f"hydra: {{mode: MULTIRUN, sweeper: {CALLED}}}"
    ),
    "folder of results": experiment("hydra: {run: {dir: CANARY/run}}"),
    "folder of a sweep": experiment("hydra: {sweep: {dir: CANARY/sweep}}", *SEVERAL),
    "folder of the configuration": experiment(
        "hydra: {output_subdir: ../../../canary/sub}"
    ),
    "another folder to work in": experiment("hydra: {job: {chdir: true}}"),
    "environment": experiment("hydra: {job: {env_set: {HYDRA_EVIL: '1'}}}"),
    "an interpolation": experiment(
        f"evil: {{callbacks: {{x: {CALLED}}}}}\nhydra: ${{evil}}"
    ),
    "nothing as a node": experiment("hydra: null"),
    "header": Attack(
        {"experiment/evil.yaml": f"# @package hydra.callbacks.x\n{CALLED}\n"}
    ),
    "moved by a list of defaults": experiment(
        "defaults:\n  - /other@hydra.callbacks.x: evil", other__evil=CALLED
    ),
    "moved by the list of another file": experiment(
        "defaults:\n  - /first/one@hydra: evil",
        first__one__evil="defaults:\n  - /other@callbacks.x: evil\n",
        other__evil=CALLED,
    ),
    "moved by the command line": Attack(
        {"other/evil.yaml": CALLED}, ("+other@hydra.callbacks.x=evil",)
    ),
    "group of Hydra's": experiment(
        "defaults:\n  - override /hydra/callbacks: evil",
        hydra__callbacks__evil=f"x: {CALLED}",
    ),
    "group of Hydra's, chosen": Attack(
        {"hydra/callbacks/evil.yaml": f"x: {CALLED}"}, ("hydra/callbacks=evil",)
    ),
    "in the place of Hydra's launcher": Attack(
        {"hydra/launcher/basic.yaml": CALLED}, SEVERAL
    ),
    "in the place of Hydra's sweeper": Attack(
        {"hydra/sweeper/basic.yaml": CALLED}, SEVERAL
    ),
    "first file": Attack(
        {
            "evil.yaml": "defaults: [run, _self_]\n"
            f"hydra: {{callbacks: {{x: {CALLED}}}}}"
        },
        ("--config-name", "evil"),
    ),
    "package that is imported": Attack(
        {
            "evil.yaml": "defaults: [run, _self_]\n"
            "hydra: {searchpath: [pkg://evil_package]}"
        },
        ("--config-name", "evil"),
    ),
    "folder of a folder": Attack(
        {
            "evil.yaml": "defaults: [run, _self_]\nhydra: {searchpath: [file://EXTRA]}",
        },
        ("--config-name=evil",),
    ),
    "name of the results": Attack(
        {"experiment/evil.yaml": "# @package _global_\nname: ../../canary/run\n"},
        said="name: expected that of a folder below outputs",
    ),
    "name by interpolation": Attack(
        {
            "experiment/evil.yaml": "# @package _global_\nname: ${up}/canary\n"
            "up: ../..\n"
        },
        said="name: expected that of a folder below outputs",
    ),
    "name that is known in the end only": Attack(
        {
            "experiment/evil.yaml": "# @package _global_\n"
            "name: ../../canary/${hydra:job.name}\n"
        },
        said="name: expected that of a folder below outputs",
    ),
    "name that is a path": Attack(
        {
            "experiment/evil.yaml": "# @package _global_\nname: "
            "!!python/object/apply:pathlib.PosixPath [../../canary/run]\n"
        },
        said="name: expected that of a folder below outputs",
    ),
    "name of bytes": Attack(
        {
            "experiment/evil.yaml": "# @package _global_\nname: !!binary "
            "Ly4uLy4uLy4uL2NhbmFyeQ==\n"
        },
        said="name: expected that of a folder below outputs",
    ),
    "name of the data": Attack(
        {"experiment/evil.yaml": "# @package _global_\ndata: {name: ../../x}\n"},
        said="name: expected that of a folder below outputs",
    ),
    "name of the data alone": Attack(
        {
            "experiment/evil.yaml": "# @package _global_\nname: harmless\n"
            "data: {name: ../../x}\n"
        },
        said="data.name: expected a name of letters",
    ),
    "class of a model": Attack(
        {"model/evil.yaml": CALLED},
        ("model=evil",),
        said="model: expected a node whose _target_ is a ModelSpec of cftrain",
    ),
    "aliases that multiply": experiment(
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(
            f"{name}: &{name} [{', '.join([f'*{held}'] * 9)}]"
            for held, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
    ),
    "an alias that holds itself": experiment("a: &a [*a]"),
}
BOMBS = ("aliases that multiply", "an alias that holds itself")
QUICK = (
    "callback",
    "handler of the job's log",
    "launcher",
    "moved by the list of another file",
    "package that is imported",
    "name by interpolation",
    "name that is known in the end only",
    "name that is a path",
    "aliases that multiply",
)
"""Those that are tried in every run of the tests."""

PATHS = {
    "job": ("--cfg", "job"),
    "everything": ("--cfg", "all", "--resolve"),
    "info": ("--info",),
    "help": ("--help",),
    "hydra help": ("--hydra-help",),
    "package": ("--cfg", "hydra", "--package", "hydra.run"),
}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder to work in, a canary beside it and a package that can be imported."""
    for name in ("work", "canary", "site/evil_package", "extra"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "canary" / "config.yaml").write_text("mine")
    (tmp_path / "site" / "evil_package" / "__init__.py").write_text(
        f"import os\nos.mkdir({str(tmp_path / 'marker')!r})\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path


def carried_out(attack: Attack, place: Path, command: str, *words: str) -> Outcome:
    """What the attack comes to; fails if it did anything."""
    sent = place / "sent"
    for name, text in attack.files.items():
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        for sign, path in {
            "MARKER": "marker",
            "CANARY": "canary",
            "EXTRA": "extra",
        }.items():
            text = text.replace(sign, str(place / path))
        (sent / name).write_text(text)
    before = files(place / "canary")
    variables = dict(os.environ)
    folder = ("--config-dir", str(sent))
    outcome = call(command, *folder, *attack.words, *words, cwd=place / "work")
    assert not (place / "marker").exists(), outcome
    assert files(place / "canary") == before
    assert dict(os.environ) == variables
    outside = {path.name for path in place.iterdir()}
    assert outside == {"work", "canary", "site", "extra", "sent"}
    return outcome


@pytest.mark.parametrize(
    "name",
    [
        each if each in QUICK else pytest.param(each, marks=pytest.mark.torture)
        for each in ATTACKS
    ],
)
def test_an_attack_is_told_and_does_nothing(name, place):
    attack = ATTACKS[name]
    outcome = carried_out(attack, place, "train", *TINY_MOONS)
    said = "as its aliases hold one another" if name in BOMBS else attack.said
    assert said in outcome.message
    assert not files(place / "work")


@pytest.mark.parametrize("option", ["--experimental-rerun={}", "--exp {}"])
def test_a_pickle_is_not_opened(option, place):
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return os.mkdir, (str(place / "marker"),)

    file = place / "work" / "job.pickle"
    file.write_bytes(pickle.dumps(Evil()))
    words = option.format(file).split(" ")
    outcome = call("train", *words, cwd=place / "work")
    assert "--experimental-rerun: expected a run that is told" in outcome.message
    assert not (place / "marker").exists()


def test_a_folder_to_search_is_not_trusted_either(place):
    attack = ATTACKS["callback"]
    found = f"hydra.searchpath=[file://{place / 'sent'}]"
    moved = Attack(attack.files, (found, "+experiment=evil"))
    assert attack.said in carried_out(moved, place, "train").message


def test_another_tree_is_not_trusted_either(place):
    (place / "sent").mkdir()
    (place / "sent" / "run.yaml").write_text(
        f"hydra: {{callbacks: {{x: {{_target_: os.mkdir, path: {place}/marker}}}}}}"
    )
    outcome = call("train", "--config-path", str(place / "sent"), cwd=place / "work")
    assert "expected nothing about Hydra itself" in outcome.message
    assert not (place / "marker").exists()


def test_who_trusts_a_file_may_use_all_of_hydra(place):
    trusted = experiment("hydra: {run: {dir: CANARY/run}}")
    (place / "sent" / "experiment").mkdir(parents=True)
    text = trusted.files["experiment/evil.yaml"].replace(
        "CANARY", str(place / "canary")
    )
    (place / "sent" / "experiment" / "evil.yaml").write_text(text)
    words = ("--config-dir", str(place / "sent"), "--trust-config", "+experiment=evil")
    outcome = call("train", *words, "--cfg", "hydra", "--package", "hydra.run")
    assert outcome.code == 0
    assert str(place / "canary" / "run") in outcome.out


def test_the_command_line_is_trusted(place):
    outcome = call("train", f"hydra.run.dir={place / 'x'}", "--cfg", "hydra")
    assert outcome.code == 0
    assert str(place / "x") in outcome.out


def test_a_name_stays_below_the_outputs(place):
    outcome = call("train", "name=../../canary/run", cwd=place / "work")
    assert outcome.message.startswith("name: expected that of a folder below outputs")
    outcome = call(
        "train", "-m", "name=a,../../x", "--", *TINY_MOONS, cwd=place / "work"
    )
    assert "name: expected that of a folder below outputs" in outcome.err
    assert outcome.code == 2
    assert {path.name for path in place.iterdir()} == {
        "work",
        "canary",
        "site",
        "extra",
    }


@pytest.mark.torture
@pytest.mark.parametrize("way", PATHS)
@pytest.mark.parametrize("name", ATTACKS)
def test_no_way_to_look_at_a_configuration_carries_it_out(name, way, place):
    carried_out(ATTACKS[name], place, "train", *PATHS[way])


@pytest.mark.torture
@pytest.mark.parametrize("command", ["grid", "evaluate", "tables", "figure"])
@pytest.mark.parametrize("name", ATTACKS)
def test_no_command_carries_it_out(name, command, place):
    words = ("--dry-run",) if command == "grid" else ()
    outcome = carried_out(ATTACKS[name], place, command, *words)
    # A grid is named after itself, and a plan makes no folder.
    named = command == "grid" and name.startswith("name ")
    assert outcome.code == 2 or named, outcome


@pytest.mark.torture
@pytest.mark.parametrize("name", ATTACKS)
def test_completion_does_not_carry_it_out(name, place):
    words = " ".join(ATTACKS[name].words)
    line = f"cftrain train --config-dir {place / 'sent'} {words} model."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_LINE", line)
        patch.setenv("COMP_POINT", str(len(line)))
        carried_out(Attack(ATTACKS[name].files, ()), place, "-sc", "query=bash")

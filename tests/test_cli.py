"""The command line before any command does its work."""

import ast
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import pytest

import cftrain
from cftrain import cli
from cftrain.commands import train
from cftrain.errors import ConfigError, DataError
from tests.console import ROOT, call, environment, files, spawn

LIGHT = """
import sys
from cftrain.cli import main
code = main(sys.argv[1:])
print(sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""
HEAVY = {"torch", "hydra", "omegaconf", "numpy", "pandas", "pyarrow", "matplotlib"}


@pytest.fixture
def command(monkeypatch):
    """Replace what a command does; the arguments of its calls."""

    def replaced(error: BaseException | None = None) -> list[tuple[str, list[str]]]:
        calls: list[tuple[str, list[str]]] = []

        def run(command: str, arguments: list[str], *_: object) -> None:
            calls.append((command, list(arguments)))
            if error is not None:
                raise error

        monkeypatch.setattr(cli, "_hydra", run)
        return calls

    return replaced


@pytest.mark.parametrize("argument", ["--help", "-h", "--version", None, "tarin"])
def test_nothing_heavy_is_imported_before_a_command_needs_it(argument):
    arguments = [] if argument is None else [argument]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == (2 if argument == "tarin" else 0), done.stderr
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert "cftrain" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_names_every_command(arguments):
    outcome = call(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: cftrain <command> [FOLDER] ")
    listed = outcome.out.partition("commands:\n")[2].partition("\n\n")[0]
    named = [line.split()[0] for line in listed.splitlines() if line[:3] != "   "]
    assert sorted(named) == sorted(cli.COMMANDS)
    assert max(map(len, outcome.out.splitlines())) <= 88


def test_the_version_is_that_of_the_package():
    outcome = call("--version")
    assert (outcome.code, outcome.out) == (0, f"cftrain {cftrain.__version__}\n")


def test_the_console_script_is_the_entry():
    text = (ROOT / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["scripts"] == {"cftrain": "cftrain.cli:entry"}


def test_the_entry_takes_the_arguments_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cftrain", "--version"])
    assert cli.entry() == 0
    assert cli.main() == 0
    assert capsys.readouterr().out == f"cftrain {cftrain.__version__}\n" * 2


@pytest.mark.parametrize("word", ["tarin", "TRAIN", "", "data=moons", "--train"])
def test_an_unknown_command_is_one_message(word):
    message = call(word).message
    assert message.startswith("expected a command (train, ")
    assert f"got {word!r}" in message
    assert "see cftrain --help" in message


def test_a_command_gets_its_arguments(command):
    calls = command()
    assert call("train", "data=moons", "--cfg", "job").code == 0
    assert calls == [("train", ["data=moons", "--cfg", "job"])]


@pytest.mark.parametrize("variable", ["PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"])
def test_only_rank_zero_works(command, variable):
    calls = command()
    size = variable.replace("RANK", "SIZE")
    outcome = call("train", **{variable: "1", size: "2"})
    assert (outcome.code, outcome.out, outcome.err, calls) == (0, "", "", [])
    assert call("train", **{variable: "0"}).code == 0
    assert calls == [("train", [])]


@pytest.mark.parametrize(
    "arguments", [("train", "data=nosuch"), ("nosuch",), (), ("--help",)]
)
def test_other_ranks_say_nothing_whatever_is_asked(arguments, tmp_path):
    outcome = call(*arguments, cwd=tmp_path, PMI_RANK="1", PMI_SIZE="2")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("moons: expected rows, got none"), "moons: expected rows, got none"),
        (ConfigError("seed: expected 1, got 2"), "seed: expected 1, got 2"),
        (
            ConfigError(["seed: expected 1, got 2", "name: expected a, got b"]),
            "2 mistakes in the configuration:\n  seed: expected 1, got 2\n"
            "  name: expected a, got b",
        ),
        (
            PermissionError(13, "Permission denied", "/x/y"),
            "/x/y: Permission denied",
        ),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_the_user_can_mend_is_one_message(command, error, message):
    command(error)
    assert call("train").message == message


def test_our_own_mistakes_are_one_line_and_a_log(command, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command(ZeroDivisionError("ours\nin two lines"))
    outcome = call("train")
    assert outcome.code == 1
    assert outcome.err.startswith(
        "cftrain: an error of cftrain itself, ZeroDivisionError: ours; its traceback is"
    )
    assert outcome.err.count("\n") == 1
    (log,) = tmp_path.glob("cftrain-*.log")
    assert outcome.err.endswith(f"{log}\n")
    assert "Traceback" in log.read_text()
    assert "in two lines" in log.read_text()


class Unspeakable(Exception):
    """An error that cannot be told."""

    def __str__(self) -> str:
        raise ValueError("no words")


def endless() -> None:
    endless()


def test_an_error_that_cannot_be_shown_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command(Unspeakable())
    outcome = call("train")
    assert outcome.code == 1
    assert "Unspeakable: an error that cannot be shown; its traceback" in outcome.err
    assert outcome.err.count("\n") == 1


def test_endless_recursion_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "_hydra", lambda *_: endless())
    outcome = call("train")
    assert outcome.code == 1
    assert "RecursionError: maximum recursion depth exceeded" in outcome.err
    assert outcome.err.count("\n") == 1


def test_our_own_mistakes_need_no_folder_for_their_log(command, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent/folder")
    command(ZeroDivisionError("ours"))
    outcome = call("train")
    assert outcome.code == 1
    assert "ZeroDivisionError: ours; its traceback could not be written" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 8 TiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 80 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"),
    ],
)
def test_too_little_memory_is_one_message(command, error):
    command(error)
    assert call("train").message == (
        f"expected enough memory for what was asked, got: {error}"
    )


def test_our_own_mistakes_in_a_sweep_are_one_line(monkeypatch, tmp_path):
    def run(_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(train, "run", run)
    outcome = call("train", "-m", "seed=1,2", cwd=tmp_path)
    assert outcome.code == 1
    assert "ZeroDivisionError: ours; its traceback is in" in outcome.err
    assert outcome.err.count("\n") == 1


SPEAKING = (sys.executable, "-m", "cftrain", "train", "--cfg", "job")


def speak(tmp_path, redirection: str, *words: str, **changes: str):
    """Ran by a shell that may close or redirect its streams."""
    line = " ".join([*map(shlex.quote, (*SPEAKING, *words)), redirection])
    return subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **changes},
        capture_output=True,
    )


def test_closed_output_is_no_error(tmp_path):
    done = speak(tmp_path, ">&-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_that_is_no_unicode_is_escaped(tmp_path):
    name = "name='caf\N{LATIN SMALL LETTER E WITH ACUTE}'"
    done = speak(tmp_path, "", name, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"name: caf\\u00e9" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_is_full_is_one_message(tmp_path):
    done = speak(tmp_path, "> /dev/full")
    assert done.returncode == 2
    assert done.stderr == b"cftrain: No space left on device\n"


def test_the_traceback_of_our_own_mistakes_can_be_asked_for(command):
    command(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        call("train", HYDRA_FULL_ERROR="1")


def test_the_traceback_of_an_expected_error_can_be_asked_for(command):
    command(DataError("damaged"))
    with pytest.raises(DataError):
        call("train", HYDRA_FULL_ERROR="1")


def test_an_interruption_says_how_to_go_on(command):
    command(KeyboardInterrupt())
    outcome = call("train")
    assert outcome.code == 130
    assert outcome.err == (
        "cftrain: interrupted; what is finished is kept, run the same command again to "
        "go on\n"
    )


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGTERM, 143, "ended by SIGTERM; what is finished is kept"),
        (signal.SIGHUP, 129, "ended by SIGHUP; what is finished is kept"),
        (signal.SIGINT, 130, "interrupted; what is finished is kept"),
    ],
)
def test_a_signal_ends_a_command_once_and_is_as_before(monkeypatch, number, code, said):
    tidied = []

    def run(*_: object) -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        finally:
            os.kill(os.getpid(), number)  # someone is impatient
            tidied.append(True)

    monkeypatch.setattr(cli, "_hydra", run)
    before = signal.getsignal(number)
    outcome = call("train")
    assert (outcome.code, tidied) == (code, [True])
    assert outcome.err.startswith(f"cftrain: {said}")
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    def run(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(cli, "_hydra", run)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert call("train").code == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("command_of_ranks", ["grid", "evaluate"])
def test_a_rank_without_a_number_of_ranks_is_one_message(command_of_ranks, command):
    calls = command()
    message = call(command_of_ranks, PMIX_RANK="0").message
    assert "expected a launcher that tells how many processes it started" in message
    alone = call(command_of_ranks, PMIX_RANK="1").message
    assert "got PMIX_RANK=1 alone" in alone, "nobody else may be there to say so"
    assert calls == []


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (2, 2), (3, 3)])
def test_the_exit_code_of_a_command_is_kept(command, code, expected):
    command(SystemExit(code))
    assert call("train").code == expected


def test_a_second_call_in_one_process_reports_errors_too(tmp_path):
    with environment({}, tmp_path):
        assert cli.main(["train", "data=nosuch"]) == 2
        assert cli.main(["train", "data=nosuch"]) == 2


def test_the_module_is_the_same_program(tmp_path):
    outcome = spawn("nosuch", cwd=tmp_path)
    assert outcome.message == call("nosuch").message


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "cftrain", "train", "--cfg", "job"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    with process:
        assert process.stderr.read() == b""
    assert process.returncode == 0


def complete(line: str) -> list[str]:
    """What bash would be offered after the words of a line."""
    outcome = call("-sc", "query=bash", COMP_LINE=line)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out.split()


def test_completion_of_commands():
    for line in ("cftrain ", "cftrain tr", "/usr/bin/cftrain "):
        assert "train" in complete(line)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cftrain train da", {"data=", "data."}),
        ("cftrain train data=", {"data=moons", "data=mnist", "data=circles"}),
        ("cftrain train data=m", {"data=moons", "data=mnist"}),
        ("cftrain train +experiment=", {"+experiment=moons", "+experiment=mnist"}),
        ("cftrain train experiment=", {"experiment=moons", "experiment=mnist"}),
        ("cftrain tables table=m", {"table=main", "table=mmd"}),
        ("cftrain evaluate evaluation=", {"evaluation=full"}),
        ("cftrain train objective.r", {"objective.ridge_weight="}),
        ("cftrain train data=moons sche", {"schedule=", "schedule."}),
        ("./cftrain train device", {"device="}),
    ],
)
def test_completion_of_overrides(line, offered):
    found = set(complete(line))
    assert offered <= found
    start = line.split()[-1]
    assert all(word.startswith(start) for word in found), found


@pytest.mark.parametrize(
    "line", ["train data=m", "tables fold", "figure pict", "verify"]
)
def test_completion_needs_no_torch_and_no_table(line):
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "-sc", "query=bash"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COMP_LINE": f"cftrain {line}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert not loaded & {"torch", "numpy", "pandas", "pyarrow", "matplotlib"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_installs(shell):
    outcome = call("-sc", f"install={shell}")
    assert (outcome.code, outcome.err) == (0, "")
    assert "query=" in outcome.out


@pytest.mark.parametrize("arguments", [("-sc",), ("-sc", "what")])
def test_completion_without_a_subcommand_is_one_message(arguments):
    assert call(*arguments).message


def test_a_rank_that_is_no_number_is_none(tmp_path):
    assert call("--version", cwd=tmp_path, PMI_RANK="x").code == 0


def test_a_signal_that_a_library_makes_an_error_of_is_still_one(monkeypatch):
    def interrupted(*_: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except BaseException:
            raise AttributeError("of a library that was tidying up") from None

    monkeypatch.setattr(cli, "_hydra", interrupted)
    outcome = call("train")
    assert (outcome.code, outcome.err.count("cftrain: ")) == (143, 1)
    assert "ended by SIGTERM" in outcome.err

"""Words, names and files by hand that a command cannot take, with what is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.console import TINY_MOONS

MINE = "conf/experiment/mine.yaml"
HEAD = "# @package _global_\n"


@dataclass(frozen=True)
class Bad:
    """What is typed after which files were made, and what the one message says."""

    words: tuple[str, ...]
    said: tuple[str, ...] = ("expected", "got")
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        shown = [word for word in self.words if word not in TINY_MOONS]
        text = next(iter(self.files.values()), b"")[len(HEAD) :]
        return ascii(" ".join(shown))[1:-1][:60] + ascii(text)[2:-1][:30]


def of_train(*words: str, said: tuple[str, ...] = ()) -> Bad:
    return Bad(("train", *TINY_MOONS, *words), (*said, "expected", "got"))


def of_grid(*words: str, said: tuple[str, ...] = ()) -> Bad:
    base = ("grid", "grid=single", *TINY_MOONS[1:], "grid.axes.experiment=[moons]")
    return Bad((*base, *words), (*said, "expected", "got"))


def of_file(content: str | bytes, *said: str) -> Bad:
    """An experiment of one's own that cannot be read or composed."""
    head, text = (b"", content) if isinstance(content, bytes) else (HEAD, content)
    whole = head + text if isinstance(text, bytes) else f"{head}{text}".encode()
    words = ("train", "experiment=mine", *TINY_MOONS, "--config-dir", "conf")
    return Bad(words, (*said, "expected", "got"), {MINE: whole})


def of(*words: str, said: tuple[str, ...] = ()) -> Bad:
    return Bad(words, (*said, "expected", "got"))


FILES = (
    of_file("seed: [1, 2\n", MINE, "line"),
    of_file("data:\n\tname: x\n", MINE, "'\\t'", "line 3"),
    of_file("seed: 1\nseed: 2\n", MINE, "duplicate key seed"),
    of_file(b"\x00\x01\xff\xfe\x80" * 20, MINE, "not UTF-8"),
    of_file(b"name: \xe9\n", MINE, "not UTF-8"),
    of_file("seed: !!python/object/apply:os.system ['touch x']\n", MINE, "tag"),
    of_file("seed: !!python/name:os.system\n", MINE, "tag"),
    of_file("seed: !foo 3\n", MINE, "'!foo'"),
    of_file("data: &a\n  x: *a\n"),
    of_file("seed: *nope\n", MINE, "undefined alias"),
    of_file("name: a\x07b\n", MINE),
    of_file("<<: 3\n", MINE),
    of_file("? [a, b]\n: 3\n", MINE),
    of_file("name: " + "[" * 2000 + "]" * 2000 + "\n"),
    of_file("defaults:\n  - mine\n"),
    of_file("defaults: 3\nseed: 1\n"),
    of_file("defaults:\n  - nosuch: x\n", "nosuch"),
    of_file("defaults:\n  - override /nosuch: x\n", "nosuch"),
    of_file("seed: 1\n---\nseed: 2\n", MINE, "single document"),
    of_file("name: ?\n", MINE),
    of_file("3: 4\n", "3: expected one of"),
    of_file("null: 4\n", "Incompatible key type"),
    of_file("true: 4\n", "True: expected one of"),
    of_file("seed: 2020-01-01\n", "seed: expected a whole number"),
    of_file("seed: !!binary aGVsbG8=\n", "seed: expected a whole number"),
    of_file("seed: !!set {a, b}\n", "seed"),
    of_file("seed: .nan\n", "seed: expected a whole number"),
    of_file(f"seed: {2**1024}\n", "seed: expected a whole number"),
    of_file(f"seed: {'9' * 5000}\n"),
    of_file("name: ${nope}\n", "nope"),
    of_file("name: ${name}\n", "Recursive interpolation"),
    of_file("name: ${oc.env:NO_SUCH_VARIABLE}\n", "NO_SUCH_VARIABLE"),
    of_file("name: ${nope:x}\n", "nope"),
    of_file("name: ${\n", "name"),
    of_file("name: 'a\\0b'\n".replace("'", '"')),
    Bad(
        ("data", "fetch", "mine", "--config-dir", "conf"),
        ("conf/data/mine.yaml", "expected a YAML file", "got"),
        {"conf/data/mine.yaml": b"x: ["},
    ),
    Bad(
        ("data", "list", "--config-dir=conf"),
        ("conf/data/mine.yaml", "expected a YAML file", "got"),
        {"conf/data/mine.yaml": b"\xff\xfe"},
    ),
    Bad(
        ("data", "list", "--config-dir", "afile"),
        ("expected a folder", "got 'afile', which is a file"),
        {"afile": b"x"},
    ),
    Bad(
        ("train", *TINY_MOONS, "--config-dir", "afile"),
        ("expected a folder", "got 'afile', which is a file"),
        {"afile": b"x"},
    ),
    Bad(
        ("train", *TINY_MOONS, "--config-dir", "conf"),
        ("data/moons.yaml: expected a name that no packaged option has", "got"),
        {"conf/data/moons.yaml": b"x: 1"},
    ),
)

TRAIN = (
    of_train("--config-dir", "nowhere", said=("got 'nowhere', which is none",)),
    of_train("--config-dir", said=("expected one argument",)),
    of_train("--foo", said=("unrecognized arguments: --foo",)),
    of_train("--info", "nosuch", said=("invalid choice: 'nosuch'",)),
    of_train("--cfg", "nosuch", said=("invalid choice: 'nosuch'",)),
    of_train("+foo=1", said=("foo: expected one of ", "got an unknown key")),
    of_train("schedule.epoch=3", said=("did you mean 'schedule.epochs'?",)),
    of_train("+schedule.epoch=3", said=("did you mean 'epochs'?",)),
    of_train("~schedule.epoch", said=("did you mean 'schedule.epochs'?",)),
    of_train("ridge_weight=3", said=("'objective.ridge_weight'",)),
    of_train("evalution=full", said=("evalution: expected a key or group",)),
    of_train("nosuch=full", said=("--cfg job shows them all",)),
    of_train("data=nosuch", said=("data/nosuch", "moons", "mnist")),
    of_train("experiment=nosuch", said=("experiment/nosuch", "mnist")),
    of_train("+experiment=nosuch", said=("experiment/nosuch", "mnist")),
    of_train("compare=null", said=("compare: expected", "compare=none")),
    of_train("objective=null", said=("objective: expected", "got null")),
    of_train("data", said=("key=value", "'data'")),
    of_train("data.noise=[", said=("data.noise", "'data.noise=['")),
    of_train("", said=("key=value",)),
    of_train("=", said=("'='",)),
    of_train("=3", said=("'=3'",)),
    of_train("a=b=c="),
    of_train("seed=", said=("seed: expected",)),
    of_train("~seed", said=("seed: expected a value, got none",)),
    of_train("seed=int(a)", said=("seed",)),
    of_train("seed=1,2", said=("seed=1,2",)),
    of_train("seed=range(1,3)", said=("seed",)),
    of_train("\u00e9=3"),
    *[
        of_train(f"init_from={place}", said=("init_from: expected ",))
        for place in ("many", "1.5", "true", "''", "[1]", "{a: 1}")
    ],
    of_train("logger=nosuch", said=("logger/nosuch", "tensorboard")),
    of_train("optimized_metric=nosuch", said=("optimized_metric: ", "'nosuch'")),
    of_train("budget.accuracy=2", said=("budget.accuracy: ",)),
    of_train("--plugins", said=("--plugins: expected the name of a package",)),
    of_train("--plugins", "nosuch_package", said=("nosuch_package",)),
    of_train("\ud800=3"),
    of_train("seed=nan", said=("seed: expected a whole number >= 0, got nan",)),
    of_train("name=${nope}", said=("nope",)),
    of_train("name=\U0001f600", said=("quote",)),
    of_train("name=a\0b", said=("quote",)),
    of_train("name=a\nb", said=("quote",)),
    of_train("name='", said=("quote",)),
    of_train("hydra.run.dir=null", said=("hydra.run.dir",)),
    of_train("hydra.mode=foo", said=("foo",)),
    of_train("hydra.searchpath=3"),
    of_train("--config-name", "nope", said=("nope",)),
    of_train("--resolve"),
    of_train("schedule.counterfactuals=121", said=("training_rows=120), got 121",)),
    of_train("schedule.batch_rows=121", said=("training_rows=120), got 121",)),
    of_train("data.training_rows=5000", said=("expected at most 400", "got 5090")),
    of_train("+data.mutability.x9=immutable", said=("data.mutability.x9: expected",)),
    of_train("+data.domain.x9=[0,1]", said=("data.domain.x9: expected",)),
    of_train("data.domain={x1:[2,1]}", said=("low < high",)),
    of_train("data.domain={x1:[5,6]}", said=("hold some row of the pool",)),
    of_train("data.domain={x1:[-1e308,1e308]}", said=("32-bit", "-1e+308")),
    of_train("data.domain={x1:[1e308,null]}", said=("1e+308",)),
    of_train("data.noise=1e308", said=("expected finite features",)),
    of_train("data.generated_rows=10000000000000000", said=("enough memory",)),
    of_train("data.generated_rows=9223372036854775807", said=("enough memory",)),
    of_train("data.generated_rows=9223372036854775808", said=("at most 64 bits",)),
    of_train(f"data.noise={2**1024}", said=("data.noise: expected a number >= 0",)),
    of_train("schedule.epochs=???", said=("schedule.epochs",)),
    of_train("~objective", "compare=none", said=("objective: expected a value",)),
    of_train("model._target_=os.system", said=("got 'os.system'",)),
    of_train("evaluation.generator=revise", said=("evaluation/generator=revise?",)),
    of_train(
        "evaluation.categories=snap", said=("categories@evaluation.categories=snap?",)
    ),
    of_train("generator.space=[1]", said=("generator.space", "ListConfig")),
    of_train("model.hidden={a: 1}", said=("model.hidden",)),
    of_train("evaluation.energy_weights=[]", said=("at least one",)),
    of_train("objective.divergence_weight=0", said=("objective.ridge_weight",)),
    of_train("objective.class_weights=even", said=("balanced", "'even'")),
    of_train("objective.class_weights=[1,2,3]", said=("classes '0', '1'", "3 weights")),
    of_train("objective.class_weights=[1,-2]", said=("class_weights.1", "-2")),
    of_train("objective.class_weights=[1,0]", said=("class_weights.1", "> 0, got 0")),
    of_train("objective.class_weights=[1,nan]", said=("class_weights.1", "got nan")),
    of_train("objective.class_weights={0: 1, 2: 1}", said=("weights of '0', '2'",)),
    of_train("compare.class_weights=[1]", said=("compare.class_weights", "1 weights")),
    of_train("device=gpu", said=("device: expected one of cpu, cuda",)),
)

GRID = (
    of_grid("+grid.only_with.nope.seed=[1]", said=("grid.only_with.nope",)),
    of_grid("+grid.only_with={seed: 3}", said=("grid.only_with.seed",)),
    of_grid("+grid.axes.seed=[1]", "+grid.only_with={seed: {foo: [3]}}", said=("foo",)),
    of_grid("+grid.axes.seed=[]", said=("at least one value",)),
    of_grid("+grid.axes.seed=[[1],{a: 2}]", said=("2 mistakes", "got [1]")),
    of_grid("+grid.axes.seed=[a]", said=("seed: expected", "got 'a'")),
    of_grid("+grid.axes={seed.x: [1]}", said=("'seed.x'",)),
    of_grid("grid.axes.experiment=['m oons']", said=("experiment/m oons",)),
    of_grid("+grid.tied={seed: nope}", said=("grid.tied.seed", "'nope'")),
    of_grid("+grid.tied={nope: seed}", said=("'nope'",)),
    of_grid("+grid.fixed={seed: {a: b}}", said=("seed: expected",)),
    of_grid("+grid.axes.seed=[1]", "seed=2", said=("seed=2",)),
    of_grid("workers=0", said=("workers: expected a whole number >= 1, got 0",)),
    of_grid("workers=1e9", said=("workers",)),
    of_grid("stack_width=-1", said=("stack_width",)),
    of_grid("retry=maybe", said=("retry: expected one of none, failed",)),
    of("grid", "grid=nosuch", said=("grid/nosuch", "penalties")),
)

RESULTS = (
    of("evaluate", "/nope", said=("/nope: expected a folder",)),
    of("evaluate", "nope", said=("nope: expected a folder",)),
    of("evaluate", ".", said=("expected trained models",)),
    of("evaluate", ".", "evaluation=nosuch", said=("evaluation/nosuch", "quick")),
    of("status", said=("as in cftrain status FOLDER, got 'nothing'",)),
    of("status", "x=1", said=("as in cftrain status FOLDER, got 'x=1'",)),
    of("status", "/nope", said=("/nope: expected a folder",)),
    of("status", "."),
    of("status", ".", "x=1", said=("status.x",)),
    of("verify", "."),
    of("verify", "/nope"),
    of("verify", ".", "sample=0", said=("verify.sample", "got 0")),
    of("verify", ".", "sample=x", said=("verify.sample", "'x'")),
    of("verify", ".", f"seed={2**1024}", said=("verify.seed",)),
    of("verify", ".", f"sample={'9' * 5000}", said=("verify.sample",)),
    of("verify", ".", "tolerance=nan", said=("verify.tolerance", "got nan")),
    of("verify", ".", "tolerance=-1", said=("verify.tolerance",)),
    of("verify", ".", "--sample", "5", said=("'--sample'",)),
    of("transfer", "."),
    of("transfer", "nope", said=("nope: expected a folder",)),
    of("transfer", ".", "rounds=0", said=("transfer.rounds", "got 0")),
    of("transfer", ".", "round=3", said=("did you mean 'rounds'?",)),
    of("tables", "."),
    of("tables", "/nope"),
    of("tables", ".", "table=mian", said=("table/mian", "'main'")),
    of("tables", ".", "table=main", "format=foo", said=("tables.format", "markdown")),
    of("tables", ".", "interval=foo", said=("tables.interval",)),
    of("tables", ".", "explain=[a]", said=("explain",)),
    of("tables", ".", "--explain", "main", said=("a row and a column",)),
    of("tables", ".", "table=main", "protocol=${nope}", said=("nope",)),
    of("figure", "nope", said=("constraints, protection, boundary", "'nope'")),
    of("figure", "constraints", "factuals=0", said=("factuals",)),
    of("figure", "constraints", "feature=nope", said=("age, debt", "'nope'")),
    of("figure", "protection", "seeds=0", said=("seeds",)),
    of("figure", "protection", "seeds=1", said=("seeds: expected at least 2",)),
    of("figure", "boundary", "feature=3", said=("feature: expected a text, got 3",)),
    of("data", said=("'list' or 'fetch NAME'",)),
    of("data", "fetch", said=("'fetch'",)),
    of("data", "fetch", "nope", said=("moons", "'nope'")),
    of("data", "fetch", "a,b", said=("'a,b'",)),
    of("data", "fetch", "mnist\0", said=("'mnist\\x00'",)),
    of("data", "list", "x", said=("'list x'",)),
    of("tarin", said=("'tarin'",)),
    of("", said=("''",)),
    of("--train", said=("'--train'",)),
)

TABLE = (*FILES, *TRAIN, *GRID, *RESULTS)

QUICK = (
    *FILES[:2],
    *TRAIN[5:8],
    *[
        bad
        for bad in RESULTS
        if bad.words[0]
        in ("status", "verify", "transfer", "data", "tarin", "", "--train")
    ],
)
"""A part that needs no composing, and a few examples of what does."""

"""The ONNX file answers raw rows as torch does; making one takes seconds."""

import importlib.util
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from cftrain.advice.stored_model import StoredModel
from cftrain.bundle import onnx_file
from cftrain.bundle.onnx_file import OUTPUTS, write_onnx
from cftrain.bundle.onnx_inputs import inputs_of
from cftrain.data.columns import CategoricalColumn, NumericColumn
from cftrain.data.constraints import unconstrained
from cftrain.data.encoding import Codec, identity_codec
from cftrain.errors import ResultError
from cftrain.models.lenet import Lenet
from cftrain.models.mlp import Mlp
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from tests.console import run_of

CODEC = Codec(
    columns=(
        NumericColumn(name="age", mean=40.0, deviation=12.5, decimals=0),
        CategoricalColumn(name="job", levels=("?", "baker", "naïve | nurse")),
        NumericColumn(name="logits", mean=-1e4, deviation=3e5),
        CategoricalColumn(name="code", levels=(1, 2, 30)),
        CategoricalColumn(name="network/x", levels=(0, "none")),
    )
)
ROWS = pd.DataFrame(
    {
        "age": [18, 77, 41],
        "job": ["baker", None, "naïve | nurse"],
        "logits": [1e5, -2.5, 0.1],
        "code": [30, 1, 2],
        "network/x": ["none", 0, "none"],
    }
)
MODELS = {
    "linear": Mlp(name="linear", hidden=(), activation="relu"),
    "mlp": Mlp(name="mlp", hidden=(16, 8), activation="relu"),
    "lenet": Lenet(
        name="lenet",
        image=(12, 12),
        input_channels=1,
        channels=(3, 4),
        kernel=3,
        pooling=2,
        hidden=(9,),
        activation="tanh",
    ),
}


def stored(name: str) -> StoredModel:
    """A model that nobody has trained, whose logits are far apart."""
    codec = CODEC
    if name == "lenet":
        names = tuple(f"pixel_{place}" for place in range(144))
        codec = identity_codec(names, mean=127.5, deviation=127.5)
    features = len(codec.feature_names)
    built = MODELS[name].build(features=features, classes=3, streams=[Stream(7)])
    generator = torch.Generator().manual_seed(1)
    return StoredModel(
        model=frozen(built, slice(0, 1)),
        others=None,
        run=run_of("data=moons"),
        data="made",
        codec=codec,
        constraints=unconstrained(features),
        class_names=("no", "yes", "vielleicht ä"),
        image_shape=(12, 12) if name == "lenet" else None,
        least=torch.zeros(features),
        largest=torch.ones(features),
        reference=None,
        test_rows=torch.randn(300, features, generator=generator),
    )


def session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path))


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", MODELS)
def test_raw_rows_have_the_answers_of_torch(name, tmp_path):
    model = stored(name)
    told = write_onnx(tmp_path, model)
    assert told.startswith("takes raw values; checked against torch on 256 rows")
    raw = ROWS if name != "lenet" else model.codec.decode(model.test_rows[:5])
    feed = inputs_of(model.codec, image=name == "lenet").feed(raw)
    found = session(tmp_path / "model.onnx").run(list(OUTPUTS), feed)
    with torch.no_grad():
        logits = model.model(model.codec.encode(raw).unsqueeze(0))[0]
    np.testing.assert_allclose(found[0], logits.numpy(), atol=1e-5)
    np.testing.assert_allclose(found[1], logits.softmax(-1).numpy(), atol=1e-5)
    names = [model.class_names[place] for place in logits.argmax(-1).tolist()]
    assert found[2].tolist() == names
    content = (tmp_path / "model.onnx").read_bytes()
    assert b".py" not in content, "places of source files are nobody's business"


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_what_the_codec_refuses_is_refused(tmp_path):
    model = stored("linear")
    write_onnx(tmp_path, model)
    runtime = session(tmp_path / "model.onnx")
    inputs = {each.name: each.type for each in runtime.get_inputs()}
    assert inputs == {
        "age": "tensor(double)",
        "job": "tensor(string)",
        "_logits": "tensor(double)",
        "code": "tensor(int64)",
        "_network/x": "tensor(string)",
    }
    feed = inputs_of(model.codec, image=False).feed(ROWS)
    feed["job"] = np.array([["smith"]] * 3, dtype=object)
    with pytest.raises(Exception, match=r"(?i)unknown category"):
        runtime.run(None, feed)


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_another_answer_than_that_of_torch_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    with pytest.raises(ResultError, match="expected the answers of the model to -1"):
        write_onnx(tmp_path, stored("linear"))


class Ordinal(NumericColumn):
    """A kind of column that ONNX knows nothing of."""


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_a_column_of_another_kind_comes_encoded(tmp_path):
    columns = (CODEC.columns[0], *CODEC.columns[1:])
    unknown = Ordinal(**CODEC.columns[0].__dict__)
    model = replace(stored("mlp"), codec=Codec(columns=(unknown, *columns[1:])))
    assert write_onnx(tmp_path, model).startswith("takes raw values, but 'age' as")


@pytest.mark.parametrize("absent", ["onnx", "onnxscript"])
def test_without_the_packages_there_is_no_file(absent, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == absent else found(name),
    )
    told = write_onnx(tmp_path, stored("linear"))
    assert told == f"none, for want of {absent}: pip install 'cftrain[export]'"
    assert list(tmp_path.iterdir()) == []


def test_rows_are_handed_over_by_column():
    feed = inputs_of(CODEC, image=False).feed(ROWS)
    assert {name: (value.dtype.kind, value.shape) for name, value in feed.items()} == {
        "age": ("f", (3, 1)),
        "job": ("O", (3, 1)),
        "_logits": ("f", (3, 1)),
        "code": ("i", (3, 1)),
        "_network/x": ("O", (3, 1)),
    }
    assert feed["job"][:, 0].tolist() == ["baker", "?", "naïve | nurse"]
    assert feed["_network/x"][:, 0].tolist() == ["none", "0", "none"]

"""The explained model as an ONNX file that takes raw rows, as far as ONNX allows."""

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from cftrain.advice.cutoff import Cutoff
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.layout import NETWORK
from cftrain.bundle.onnx_inputs import Inputs, inputs_of
from cftrain.errors import ResultError
from cftrain.models.classifier import Classifier
from cftrain.tensors import Features

CHECKED_ROWS = 256
TOLERANCE = 1e-5
"""Of probabilities, and of logits for each unit of the largest one."""

OUTPUTS = ("logits", "probabilities", "decision")


def write_onnx(folder: Path, model: StoredModel) -> str:
    """Write the model if the packages for it are here; returns what is to be said.

    Raises ResultError if it does not answer what the model does.
    """
    needed = {
        "onnx": importlib.util.find_spec("onnx"),
        "onnxscript": importlib.util.find_spec("onnxscript"),
    }
    absent = [name for name, found in needed.items() if found is None]
    if absent:
        return (
            f"none, for want of {' and '.join(absent)}: pip install 'cftrain[export]'"
        )
    inputs = inputs_of(model.codec, image=model.image_shape is not None)
    try:
        content = _graph(model, inputs)
    except torch.onnx.OnnxExporterError as error:
        return f"none: torch cannot export this model ({type(error).__name__})"
    (folder / NETWORK).write_bytes(content)
    return f"{inputs.told}; {_checked(content, model, inputs)}"


def _graph(model: StoredModel, inputs: Inputs) -> bytes:
    """Raw rows to inputs, to logits, to probabilities and a decision."""
    import onnx
    from onnx import compose, helper

    network = _network(model.model, len(model.codec.feature_names))
    versions = {each.domain: each.version for each in network.opset_import}
    versions.setdefault("ai.onnx.ml", 3)
    opsets = [helper.make_opsetid(*each) for each in versions.items()]

    def whole(graph: Any) -> Any:
        made = helper.make_model(graph, opset_imports=opsets)
        made.ir_version = network.ir_version
        return made

    del network.opset_import[:]
    network.opset_import.extend(opsets)
    network = compose.add_prefix(network, "network/")
    before = compose.merge_models(
        whole(inputs.graph()), network, io_map=[("inputs", "network/x")]
    )
    merged = compose.merge_models(
        before,
        whole(_answers(model.class_names, model.cutoff)),
        io_map=[("network/y", "answers/y")],
    )
    merged.producer_name = "cftrain"
    _forget_places(merged.graph)
    onnx.checker.check_model(merged)
    content: bytes = merged.SerializeToString()
    return content


def _forget_places(graph: Any) -> None:
    """Drop what torch notes of each node: the lines and folders of source files."""
    for part in (graph, *graph.node, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""


class _One(nn.Module):
    """A stack of one model as what ONNX knows: rows to logits."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(row, feature) to (row, class)."""
        logits: torch.Tensor = self.model(x.unsqueeze(0))[0]
        return logits


def _network(model: Classifier, features: int) -> Any:
    with _silence():
        program = torch.onnx.export(
            _One(model).eval(),
            (torch.zeros(2, features),),
            input_names=["x"],
            output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim("rows")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _silence() -> Iterator[None]:
    """Without what torch says of its own code and of packages that are not here."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _answers(class_names: tuple[str, ...], cutoff: Cutoff | None) -> Any:
    """The logits as they are, as probabilities, and as the name of a class."""
    from onnx import TensorProto, helper

    shape: list[str | int | None] = ["rows", len(class_names)]
    names: dict[str, Any] = {
        "keys_int64s": list(range(len(class_names))),
        "values_strings": list(class_names),
        "default_string": "",
    }
    nodes, constants, deciding = _deciding(class_names, cutoff)
    return helper.make_graph(
        [
            *nodes,
            helper.make_node("Identity", ["answers/y"], ["logits"]),
            helper.make_node("Softmax", ["answers/y"], ["probabilities"], axis=-1),
            helper.make_node(
                "ArgMax", [deciding], ["answers/class"], axis=-1, keepdims=0
            ),
            helper.make_node(
                "LabelEncoder",
                ["answers/class"],
                ["decision"],
                domain="ai.onnx.ml",
                **names,
            ),
        ],
        "answers",
        [helper.make_tensor_value_info("answers/y", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("decision", TensorProto.STRING, ["rows"]),
        ],
        constants,
    )


def _deciding(
    class_names: tuple[str, ...], cutoff: Cutoff | None
) -> tuple[list[Any], list[Any], str]:
    """Nodes and constants that shift the logits, and what the decision is taken by."""
    from onnx import TensorProto, helper

    if cutoff is None:
        return [], [], "answers/y"
    shift = cutoff.shift(class_names).tolist()
    return (
        [helper.make_node("Add", ["answers/y", "shift"], ["answers/deciding"])],
        [helper.make_tensor("shift", TensorProto.FLOAT, [len(shift)], shift)],
        "answers/deciding",
    )


def _checked(content: bytes, model: StoredModel, inputs: Inputs) -> str:
    """What was found by asking both for the same raw rows. Raises ResultError."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "not checked, because there is no onnxruntime"
    import onnxruntime

    raw = _raw_rows(model)
    session = onnxruntime.InferenceSession(content)
    logits, probabilities, _ = session.run(list(OUTPUTS), inputs.feed(raw))
    expected = _logits(model, model.codec.encode(raw))
    unit = max(1.0, float(expected.abs().max()))
    gaps = (
        float((torch.from_numpy(logits) - expected).abs().max()) / unit,
        float((torch.from_numpy(probabilities) - expected.softmax(-1)).abs().max()),
    )
    if not max(gaps) <= TOLERANCE:
        raise ResultError(
            f"{NETWORK}: expected the answers of the model to {TOLERANCE:g}, got others"
            f" (difference {max(gaps):.2g}); onnx=false leaves the file out"
        )
    return (
        f"checked against torch on {len(raw)} rows, largest difference of "
        f"probabilities {gaps[1]:.1e}"
    )


@torch.no_grad()
def _logits(model: StoredModel, rows: Features) -> torch.Tensor:
    logits: torch.Tensor = model.model(rows.unsqueeze(0))[0]
    return logits


def _raw_rows(model: StoredModel) -> pd.DataFrame:
    """Test rows as people have them, or observed ones where there is no test part."""
    assert model.test_rows is not None
    rows = model.test_rows
    if not len(rows) and model.reference is not None:
        rows = model.reference.features
    return model.codec.decode(rows[:CHECKED_ROWS])

"""The codec as a graph of ONNX: from a tensor for each raw column to model inputs."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cftrain.data.columns import (
    CategoricalColumn,
    NumericColumn,
    levels_of,
    listed,
)
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import Column

RESERVED = ("logits", "probabilities", "decision", "inputs")
OWN = ("inputs/", "network/", "answers/")
"""Beginnings of names that the graph has for what is inside of it."""

IMAGE = "image"

Element = Literal["DOUBLE", "STRING", "INT64", "FLOAT"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Raw columns that come as one tensor (row, `width`) of a type of ONNX.

    FLOAT stands for model inputs, all others for raw values.
    """

    name: str
    element: Element
    width: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """How raw rows are handed to the ONNX file.

    - a number comes as float64 (row, 1), by the name of its column, with "_" before it
      where the graph has that name already;
    - a category as text (row, 1), or as int64 where all its levels are whole numbers;
    - a column of a kind that ONNX has no operator for comes as its model inputs;
    - all pixels of an image come as float64 (row, pixel), by the name `image`.
    """

    parts: tuple[Part, ...]

    @property
    def told(self) -> str:
        """Returns what people have to know."""
        encoded = [part.name for part in self.parts if part.element == "FLOAT"]
        if not encoded:
            return "takes raw values"
        return f"takes raw values, but {listed(encoded)} as model inputs"

    def feed(self, raw: pd.DataFrame) -> dict[str, np.ndarray]:
        """Returns the tensors of raw rows."""
        return {part.name: _tensor(part, raw) for part in self.parts}

    def graph(self) -> Any:
        """Returns the graph, whose output is called `inputs`."""
        from onnx import TensorProto, helper

        nodes, constants, widths = [], [], 0
        for place, part in enumerate(self.parts):
            own, held = _encoding(part, f"inputs/{place}")
            nodes += own
            constants += held
            widths += sum(len(column.feature_names) for column in part.columns)
        ends = [f"inputs/{place}" for place in range(len(self.parts))]
        nodes.append(helper.make_node("Concat", ends, ["inputs/all"], axis=1))
        nodes.append(_cast("inputs/all", "inputs", "FLOAT"))
        given = [
            helper.make_tensor_value_info(
                part.name, getattr(TensorProto, part.element), ["rows", part.width]
            )
            for part in self.parts
        ]
        out = helper.make_tensor_value_info(
            "inputs", TensorProto.FLOAT, ["rows", widths]
        )
        return helper.make_graph(nodes, "inputs", given, [out], constants)


def inputs_of(codec: Codec, *, image: bool) -> Inputs:
    """Returns how rows of a codec are handed over."""
    columns = codec.columns
    if image:
        pixels = Part(name=IMAGE, element="DOUBLE", width=len(columns), columns=columns)
        return Inputs(parts=(pixels,))
    taken, parts = set(RESERVED), []
    for column in columns:
        name = column.name
        while not name or name in taken or name.startswith(OWN):
            name = f"_{name}"
        taken.add(name)
        element = _element(column)
        width = len(column.feature_names) if element == "FLOAT" else 1
        parts.append(Part(name=name, element=element, width=width, columns=(column,)))
    return Inputs(parts=tuple(parts))


def _element(column: Column) -> Element:
    """What a column comes as; a kind that refines one encodes in its own way."""
    if type(column) is NumericColumn:
        return "DOUBLE"
    if type(column) is not CategoricalColumn or column.rest is not None:
        return "FLOAT"  # that an unknown level is the rest, OneHotEncoder cannot say
    whole = all(isinstance(level, int) for level in column.levels)
    return "INT64" if whole else "STRING"


def _tensor(part: Part, raw: pd.DataFrame) -> np.ndarray:
    values = raw[[column.name for column in part.columns]]
    if part.element == "DOUBLE":
        return values.to_numpy(np.float64)
    if part.element == "FLOAT":
        return part.columns[0].encode(values.iloc[:, 0]).astype(np.float32)
    codes, found = levels_of(values.iloc[:, 0])
    if part.element == "INT64":
        return np.array(found, dtype=np.int64)[codes][:, None]
    return np.array(list(map(str, found)), dtype=object)[codes][:, None]


def _encoding(part: Part, end: str) -> tuple[list[Any], list[Any]]:
    """The nodes from a part's tensor to its inputs in float64, and their constants."""
    from onnx import helper, numpy_helper

    (column, *_) = part.columns
    if part.element == "FLOAT":
        return [_cast(part.name, end, "DOUBLE")], []
    if isinstance(column, CategoricalColumn):
        whole = part.element == "INT64"
        levels: dict[str, Any] = (
            {"cats_int64s": list(column.levels)}
            if whole
            else {"cats_strings": list(map(str, column.levels))}
        )
        return [
            helper.make_node(
                "OneHotEncoder",
                [part.name],
                [f"{end}/one_hot"],
                domain="ai.onnx.ml",
                zeros=0,  # an unknown level is an error, as it is for the codec
                **levels,
            ),
            helper.make_node("Flatten", [f"{end}/one_hot"], [f"{end}/flat"], axis=1),
            _cast(f"{end}/flat", end, "DOUBLE"),
        ], []
    scales = [each for each in part.columns if isinstance(each, NumericColumn)]
    constants = [
        numpy_helper.from_array(np.array([values], dtype=np.float64), f"{end}/{name}")
        for name, values in (
            ("mean", [each.mean for each in scales]),
            ("deviation", [each.deviation for each in scales]),
        )
    ]
    return [
        helper.make_node("Sub", [part.name, f"{end}/mean"], [f"{end}/centred"]),
        helper.make_node("Div", [f"{end}/centred", f"{end}/deviation"], [end]),
    ], constants


def _cast(start: str, end: str, element: Element) -> Any:
    from onnx import TensorProto, helper

    return helper.make_node("Cast", [start], [end], to=getattr(TensorProto, element))

"""Comments become meanings of the keys that they stand at."""

from cftrain.commands.verify import VerifyOptions
from cftrain.counterfactuals.maturity import Threshold
from cftrain.evaluation.metrics.mmd import MmdImplausibility
from scripts.manual.meanings import docstring, of_fields, said

TEXT = """\
# About the file,
# in two lines.
_target_: cftrain.counterfactuals.maturity.Threshold
# Of the target
# class.
threshold: 0.5

bare: 1
nested:
  beside: 2  # 3 is not better
  # Above, and
  both: "#1"
"""


def test_comments_belong_to_their_keys(tmp_path):
    path = tmp_path / "option.yaml"
    path.write_text(TEXT)
    found = said(path)
    assert found.description == "About the file, in two lines."
    assert found.keys == {
        "threshold": "Of the target class.",
        "nested.beside": "3 is not better",
        "nested.both": "Above, and",
    }
    assert found.classes["threshold"].__name__ == "Threshold"
    assert "nested.both" not in found.classes


def test_a_file_without_a_comment_says_nothing(tmp_path):
    path = tmp_path / "option.yaml"
    path.write_text("a: 1\n# Of b.\nb: 2\n")
    assert said(path).description == ""
    assert said(path).keys == {"b": "Of b."}


def test_fields_have_docstrings():
    found = of_fields(VerifyOptions)
    assert list(found) == ["sample", "seed", "tolerance"]
    assert found["sample"] == "How many cells are trained again."
    assert of_fields(int) == {}


def test_of_a_class_its_first_paragraph_is_told():
    assert docstring(Threshold) == (Threshold.__doc__ or "").partition("\n\n")[0]
    assert "\n" not in docstring(MmdImplausibility)

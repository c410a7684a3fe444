"""Counterfactual training as a scikit-learn classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from cftrain.advice.advice import advise
from cftrain.advice.stored_model import StoredModel
from cftrain.api.composing import NOWHERE, checked, with_configuration
from cftrain.api.explanations import Explanations
from cftrain.api.fitting import fit
from cftrain.api.frames import as_read
from cftrain.api.given import Network
from cftrain.api.inputs import (
    class_text,
    first_rows,
    more_rows,
    table_of,
    wishes_of,
)
from cftrain.api.scikit import BaseEstimator, ClassifierMixin, check_is_fitted
from cftrain.bundle.writing import Wish, write_bundle
from cftrain.commands.explain_options import advisor_of, options_of
from cftrain.config.tree import plain
from cftrain.data.told import as_given
from cftrain.models.stack_slicing import logits_alone


class CounterfactualTrainingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose explanations are plausible and actionable.

    `fit` does what `cftrain train data=table` does with a file of the same rows: kinds,
    levels and missing values are read off them (`told_` says how), and what is not said
    here follows from their number. All rows train and validate (`data.test_share=0`).

    Columns that may not move: `immutable`; that may only grow or shrink: `increase`,
    `decrease`. `domain` has bounds in raw units, {"age": (18, 100)}. `kinds`, `levels`
    and `missing` say what shall not be guessed, as in docs/your-own-data.md. Columns of
    an array are numbers and are called x0, x1, ...

    `objective` None trains several strengths of "aligned" and keeps the strongest that
    costs at most a point of accuracy and two of validity on validation rows, against
    training without it; a `budget` of 0.03 allows three points, and {"accuracy": 0.03,
    "measure": "ip"} has keys of `cftrain train budget.accuracy=...`. An objective that
    is named, such as "full" (as published) or "vanilla" (without counterfactuals), is
    trained once, at its own strength, unless there is a budget. `model` and `generator`
    are options of `cftrain train`; `model` may be a class of torch modules of yours or
    `functools.partial(MyNet, width=64)`. `epochs` None: by the number of rows;
    `overrides` has further words, such as "search.max_steps=50". `random_state` is the
    seed of the command if it is a whole number. `device` is "cpu" or "cuda"; the model
    predicts on the CPU.

    Fitted: `classes_`, `n_features_in_`, `feature_names_in_` (of frames), `history_` (a
    row for each epoch), `budget_` (a row for each strength, None without a budget),
    `told_`. There is no `partial_fit`, since every epoch draws counterfactuals of the
    whole table.

    >>> import cftrain
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"age": rng.integers(20, 70, 200)})
    >>> frame["debt"] = rng.random(200)
    >>> y = np.where(frame.debt < 0.5, "yes", "no")
    >>> clf = cftrain.CounterfactualTrainingClassifier(
    ...     immutable=["age"], epochs=20, random_state=0
    ... ).fit(frame, y)
    >>> clf.score(frame, y) > 0.9
    True
    >>> advice = clf.explain(frame[y == "no"].head(3), target="yes")
    >>> {change.column for each in advice for change in each.answers[0].changes}
    {'debt'}
    """

    def __init__(
        self,
        *,
        immutable: Sequence[str] = (),
        increase: Sequence[str] = (),
        decrease: Sequence[str] = (),
        domain: Mapping[str, Sequence[float | None]] | None = None,
        kinds: Mapping[str, str] | None = None,
        levels: Mapping[str, Sequence[Any]] | None = None,
        missing: Mapping[str, str] | None = None,
        model: "str | Network" = "mlp",
        generator: str = "ecco",
        objective: str | None = None,
        budget: float | Mapping[str, Any] | None = None,
        epochs: int | None = None,
        overrides: Sequence[str] = (),
        device: str = "cpu",
        random_state: "int | np.random.RandomState | None" = None,
    ) -> None:
        self.immutable = immutable
        self.increase = increase
        self.decrease = decrease
        self.domain = domain
        self.kinds = kinds
        self.levels = levels
        self.missing = missing
        self.model = model
        self.generator = generator
        self.objective = objective
        self.budget = budget
        self.epochs = epochs
        self.overrides = overrides
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: "pd.DataFrame | ArrayLike",
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> "CounterfactualTrainingClassifier":
        """Returns itself, trained on rows X (row, column) with labels y (row,).

        A `sample_weight` (row,) of 0 or more says how much a row counts in the
        cross-entropies, as `data.weight` does; docs/python.md says where it does not.
        Raises DataError, ModelError and ConfigError (ValueErrors) for rows, labels,
        networks and settings that cannot be used, ResultError for a model that
        diverged; what was fitted before then stays.
        """
        before = dict(self.__dict__)
        try:
            rows = first_rows(self, X, y)
            table = table_of(rows, y, sample_weight)
            numbers = () if isinstance(X, pd.DataFrame) else tuple(rows)
            wishes = wishes_of(self.get_params(), table, numbers=numbers)
            found = fit(table.frame, wishes)
        except BaseException:
            self.__dict__ = before
            raise
        self.classes_ = table.classes
        self.history_ = found.history
        self.told_ = found.told
        self.budget_ = found.budget
        self._content = found.content
        return self

    def predict(self, X: "pd.DataFrame | ArrayLike") -> np.ndarray:
        """Returns the class (row,) of each row. Raises ValueError for other columns
        than those of `fit`, DataError for values that they did not have.
        """
        chosen = self._logits(X).argmax(1).numpy()
        decided: np.ndarray = self.classes_[chosen]
        return decided

    def predict_proba(self, X: "pd.DataFrame | ArrayLike") -> np.ndarray:
        """Returns the probabilities (row, class), in the order of `classes_`."""
        found: np.ndarray = self._logits(X).softmax(1).numpy()
        return found

    def decision_function(self, X: "pd.DataFrame | ArrayLike") -> np.ndarray:
        """Returns the logits (row, class), minus the energies of the classes; of two
        classes the difference (row,), which is above 0 for the second one.
        """
        logits = self._logits(X).numpy()
        found: np.ndarray = (
            logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits
        )
        return found

    def explain(
        self,
        X: "pd.DataFrame | ArrayLike",
        target: Any = None,
        *,
        count: int = 1,
        immutable: Sequence[str] = (),
        overrides: Sequence[str] = (),
    ) -> Explanations:
        """Returns what would have to change for another decision, row by row.

        It is the answer of `cftrain explain`: in raw units, rounded as it is told and
        judged again. `target` is one of `classes_`, None the most probable other one;
        up to `count` answers a row; `immutable` columns may not change besides those of
        `fit`; `overrides` has further words of the command, such as
        "search.max_steps=200" or "sparse=false".

        Raises ConfigError for a class, a column or words that there are not.
        """
        model = self._model
        rows = as_given(self._rows(X), model.codec)
        options = with_configuration(
            "explain",
            [f"count={count}", *checked(overrides), NOWHERE],
            lambda config: options_of(plain(config)),
        )
        asked = replace(options, immutable=(*options.immutable, *immutable))
        advisor = advisor_of(model, asked)
        goal = None if target is None else advisor.class_of(class_text(target))
        found = advise(
            advisor, rows, target=goal, count=options.count, domain=model.constraints
        )
        return Explanations(advice=tuple(found), image=advisor.image)

    def save(
        self,
        folder: str | Path,
        *,
        reference: bool = True,
        onnx: bool = True,
        data_licence: str | None = None,
    ) -> Path:
        """Returns a new folder that `cftrain explain` and others read, as `cftrain
        export` writes it: docs/export.md has what is in it and what the options are.

        Raises ResultError if it is there already or cannot be written.
        """
        check_is_fitted(self)
        wish = Wish(reference=reference, onnx=onnx, data_licence=data_licence)
        write_bundle(self._content, Path(folder), wish)
        return Path(folder)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    @property
    def _model(self) -> StoredModel:
        check_is_fitted(self)
        return self._content.model

    def _rows(self, X: "pd.DataFrame | ArrayLike") -> pd.DataFrame:
        """Rows with the columns of `fit`, as they would be read from a file."""
        return as_read(more_rows(self, X))

    def _logits(self, X: "pd.DataFrame | ArrayLike") -> torch.Tensor:
        """(row, class), in float64: their sums of probabilities are 1."""
        model = self._model
        inputs = model.codec.encode(self._rows(X))
        return logits_alone(model.model, inputs.unsqueeze(0))[0].double()

"""Whether a model knows the features this project has: the same names in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from acceleray.advice import TO_TRAIN
from acceleray.errors import PortfolioError
from acceleray.governance.registry import RegisteredModel
from acceleray.quant.boosting import restored


def require_features(model: RegisteredModel, names: Sequence[str]) -> None:
    """Refuse a model that was trained on other features or in another order: its scores would be noise.

    Args:
        model: the signal model.
        names: of this project's features, in their order.

    Raises:
        PortfolioError: names the first difference.
    """
    known = tuple(restored(model.content).feature_names or ())
    if difference := first_difference(known, names):
        raise PortfolioError(
            f"Model {model.uri} does not fit this project's features: {difference};"
            f" train it again: {TO_TRAIN}."
        )


def first_difference(trained: Sequence[str], given: Sequence[str]) -> str:
    """Return in words where the features a model was trained on differ from those given, or nothing."""
    if not trained:
        return "it does not say which features it was trained on"
    if missing := next((name for name in trained if name not in given), ""):
        return f"it needs feature {missing}, which is missing here"
    if unknown := next((name for name in given if name not in trained), ""):
        return f"it was trained without feature {unknown}"
    for place, (one, other) in enumerate(zip(trained, given, strict=True), 1):
        if one != other:
            return f"in its order of columns, feature {place} is {one}, here it is {other}"
    return ""

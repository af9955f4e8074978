"""Settings of the signal model and of the evidence for signals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from acceleray.settings.section import PositiveInt, Section, Share


class Features(Section):
    """Inputs and target of the signal model."""

    horizon_d: PositiveInt = 21


class Model(Section):
    """Hyperparameters of the signal model (XGBoost's own names in `acceleray.quant.boosting`) and its device.

    `device` is where it is fitted: the CPU, or a GPU (`cuda`), whose sums have other last bits.
    """

    rounds: PositiveInt = 100
    max_depth: PositiveInt = 3
    learning_rate: Share = 0.05
    min_child_weight: Annotated[float, Field(ge=0.0)] = 1.0
    subsample: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    colsample: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    reg_lambda: Annotated[float, Field(ge=0.0)] = 1.0
    device: Literal["cpu", "cuda"] = "cpu"


class Tune(Section):
    """The search for hyperparameters: how many trials, how early they may be stopped, what is held out.

    A trial is judged after every `chunk_rounds` boosting rounds; at each of its rungs only the best
    1/`reduction_factor` go on, and any trial stops that was no better for `patience_rounds`. A trial is
    proposed from the results of all trials but `parallel_trials` before it, so no more than that run at once;
    results depend on this number and not on the number of workers.
    The last `holdout_d` dates are never seen by the search.
    """

    trials: PositiveInt = 60
    maximum_rounds: PositiveInt = 300
    chunk_rounds: PositiveInt = 10
    reduction_factor: Annotated[int, Field(ge=2)] = 3
    patience_rounds: PositiveInt = 60
    parallel_trials: PositiveInt = 8
    folds: PositiveInt = 4
    minimum_train_d: PositiveInt = 1000
    embargo_d: Annotated[int, Field(ge=0)] = 5
    holdout_d: PositiveInt = 1000


class Train(Section):
    """How the signal model is trained, validated, and judged before it may become champion.

    `parameters` says whether hyperparameters are those of `model` or those the newest search chose. The data
    is split among `shards` processes whatever the number of workers, so that sums keep their order. The final
    model is fitted again after `refit_every_d` new dates with labels.

    The gate takes the lower end of one-sided intervals at `confidence`: that of the mean rank IC must be
    above `minimum_rank_ic`, that of the rank IC less the champion's above `minimum_gain`.
    """

    parameters: Literal["model", "tuned"] = "model"
    folds: PositiveInt = 5
    minimum_train_d: PositiveInt = 1000
    embargo_d: Annotated[int, Field(ge=0)] = 5
    refit_every_d: PositiveInt = 21
    shards: Annotated[int, Field(ge=1, le=1024)] = 2
    checkpoint_rounds: PositiveInt = 25
    minimum_rank_ic: float = 0.0
    minimum_gain: float = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.95
    cost_bp: Annotated[float, Field(ge=0.0)] = 10.0


class Leakage(Section):
    """Above this mean rank IC on real daily prices, leakage is the likely reason, not skill."""

    maximum_rank_ic: Share = 0.1


class Score(Section):
    """Batch scoring: how many of the last dates are scored; 1 is the newest row of each instrument."""

    history_d: PositiveInt = 1


class Signals(Section):
    """The evidence a signal needs: horizons, cost of trading, bootstrap, and the bars it must clear."""

    horizons_d: tuple[PositiveInt, ...] = (5, 21, 63)
    quantiles: Annotated[int, Field(ge=2)] = 5
    cost_bp: Annotated[float, Field(ge=0.0)] = 10.0
    replications: PositiveInt = 1000
    block_d: PositiveInt = 63
    false_discovery_rate: Share = 0.05
    minimum_t: Annotated[float, Field(gt=0.0)] = 3.0

"""Score: instruments by the signal model, portfolios by score, risk, exposures and what could not be priced.

Spark says which rows are to be scored, Ray scores them, and every row that came in must come out: scored, or
quarantined with a reason.
"""

from __future__ import annotations

from acceleray.governance.registry import RegisteredModel
from acceleray.runtime.run import Run
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.score.instruments import Counts, score_instruments, without_scores
from acceleray.stages.score.model import require_features
from acceleray.stages.score.portfolios import score_portfolios
from acceleray.stages.simulate.stage import Horizon

__all__ = ["Counts", "require_features", "score"]


def score(
    run: Run,
    model: RegisteredModel,
    calibration: Calibration,
    book: Book,
    horizons: tuple[Horizon, ...],
    factors: FactorModel | None = None,
) -> Counts:
    """Score instruments as of the run's date, then every portfolio of the book, and commit both.

    Args:
        run: what is read and written.
        model: the signal model; without content no instrument is scored, and portfolios have their risk
            alone.
        calibration: returns and fits up to the as-of date; its days are the trading days.
        book: the portfolios.
        horizons: what the simulation found; the shortest is the portfolios' risk.
        factors: betas of the instruments; without them there are no exposures.

    Raises:
        PortfolioError: the model was trained on other features, or rows were lost.
    """
    if model.content:
        require_features(model, run.project.feature_names())
        counts = score_instruments(run, model, calibration.returns.dates)
    else:
        counts = without_scores(run)
    score_portfolios(run, model.uri, calibration, book, horizons, factors)
    return counts

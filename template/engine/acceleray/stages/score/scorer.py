"""The scoring model: the champion as of the date, or none if every model was refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from acceleray.governance.champion import (
    Champion,
    features_contract,
    find_champion_if_any,
    no_champion,
)
from acceleray.governance.registry import RegisteredModel
from acceleray.runtime.run import Run
from acceleray.stages.score.model import require_features

NOBODY = "no champion"


@dataclass(frozen=True)
class Scorer:
    """The model to score with; without a champion it has no content, and no instrument is scored.

    Attributes:
        model: the champion's, or one without content.
        champion: None where every model was refused or withdrawn.
        reason: why there are no scores, in words; empty where there is a champion.
    """

    model: RegisteredModel
    champion: Champion | None
    reason: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what of it decides a run's numbers, for `Run.identify`."""
        if self.champion is None:
            return (NOBODY,)
        return (self.champion.uri, hashlib.sha256(self.champion.content).hexdigest())


def find_scorer(run: Run, as_of: date) -> Scorer:
    """Return the champion of the run's price source as of a date, or nobody; that nobody scores is said.

    A book has its risk without a signal model, so a run goes on where the gate refused every one.

    Raises:
        PortfolioError: no model was judged yet, none was champion until after that date, or the champion does
            not fit the features or is not what was registered.
    """
    names = run.project.feature_names()
    contract = features_contract(names, run.settings.features.horizon_d)
    client = run.tracker.client
    champion = find_champion_if_any(run.lake, run.settings, client, run.source, as_of, contract)
    if champion is None:
        reason = no_champion(run.source, as_of)
        run.reporter.say(f"    no scores, risk only: {reason}")
        return Scorer(RegisteredModel("", b""), None, reason)
    model = RegisteredModel(champion.uri, champion.content)
    require_features(model, names)
    return Scorer(model, champion)

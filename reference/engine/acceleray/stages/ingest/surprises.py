"""Handling of findings: accepted by the corrections file, printed, refused, stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from acceleray.errors import PortfolioError
from acceleray.quant.price_findings.finding import KINDS, SEVERITIES, THE_FILE, Finding
from acceleray.quant.price_findings.judging import refused_always
from acceleray.runtime.run import Run
from acceleray.stages.ingest.correcting import effects
from acceleray.stages.ingest.corrections import Correction, Corrections
from acceleray.stages.ingest.findings import Wanted, find
from acceleray.stages.ingest.history import history_findings
from acceleray.stages.ingest.moved import Moved
from acceleray.stages.ingest.quality import Judged
from acceleray.stages.ingest.received import Received
from acceleray.stages.ingest.survey import Survey
from acceleray.tables import PRICE_FINDINGS

TOLD = 5
"""Findings of one kind that have a line each on the console; the others are counted."""

_NAMED_BY_SOURCE = 10_000


def look_at_prices(
    run: Run,
    received: Received,
    judged: Judged,
    known: Survey,
    moved: Moved | None,
    load_id: str,
    corrections: Corrections,
) -> list[Finding]:
    """Return the findings about judged cells after telling them on the console.

    Simulated prices are not looked at: what they are is known, and there may be billions of them.

    Args:
        run: the run, whose tables still hold the prices from before.
        received: the source, how messages name it and which instruments it names.
        judged: what is looked at.
        known: of the judged cells.
        moved: the prices that differ from those held; None where Spark compares.
        load_id: of these prices.
        corrections: lines of the corrections file.

    Raises:
        PortfolioError: the prices are none or have another frequency than the settings say, or
            `market_data.on_findings` refuses a severity that was found.
    """
    data = run.settings.market_data
    if data.source == "simulated":
        return []
    names = received.announced if len(received.announced) <= _NAMED_BY_SOURCE else ()
    found = find(
        judged.series, known.market, Wanted(data.frequency, data.stale_after_d, names, data.arithmetic)
    )
    found += history_findings(run, judged, moved, load_id, corrections)
    found, unused = silenced(found, corrections)
    found = ordered([*found, *unused, *effects(judged.series, corrections)])
    for line in lines(found):
        run.reporter.say(f"    {line}")
    _refuse(run, received.title, found, len(known.series))
    return found


def silenced(found: Sequence[Finding], corrections: Corrections) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that no `accept` covers, and one for each `accept` that covers none."""
    accepting = [one for one in corrections.lines if one.action == "accept"]
    used: set[int] = set()
    kept = []
    for one in found:
        covering = [line.line for line in accepting if _covers(line, one)]
        used.update(covering)
        if not covering:
            kept.append(one)
    unused = [_unused(corrections.name, line) for line in accepting if line.line not in used]
    return kept, unused


def _covers(line: Correction, one: Finding) -> bool:
    # Another frequency is said in settings, for the whole file.
    if line.instrument != one.instrument or (one.kind == "frequency" and one.instrument == THE_FILE):
        return False
    if line.value not in ("", one.kind):
        return False
    if line.first is None:
        return True
    first, last = np.datetime64(line.first, "D"), np.datetime64(line.last or line.first, "D")
    return bool(one.first <= last and first <= one.last)


def _unused(name: str, line: Correction) -> Finding:
    day = np.datetime64(line.first or "1970-01-01", "D")
    last = np.datetime64(line.last or line.first or "1970-01-01", "D")
    text = f"line {line.line} of {name} (accept) matches no finding"
    advice = "correct its instrument_id, dates and kind, or remove it"
    return Finding("correction_unused", "info", line.instrument, day, last, 0, 0.0, text, advice)


def ordered(found: Sequence[Finding]) -> list[Finding]:
    """Return findings from grave to harmless, those of a kind together, by instrument and day."""
    kinds = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(
        found, key=lambda one: (SEVERITIES.index(one.severity), kinds[one.kind], one.instrument, one.first)
    )


def lines(found: Sequence[Finding]) -> list[str]:
    """Return a line for each finding; of a kind and severity at most `TOLD` and one that counts the rest."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in found:
        groups[one.severity, one.kind].append(one)
    said = []
    for (severity, kind), group in groups.items():
        shown = group if len(group) <= TOLD + 1 else group[:TOLD]
        said += [f"{severity}: {sentence(one)}" for one in shown]
        if rest := len(group) - len(shown):
            said.append(f"{severity}: {KINDS[kind]}: {rest:,} more of this kind: see {PRICE_FINDINGS.label}")
    return said


def sentence(one: Finding) -> str:
    """Return a finding as one line: whose prices, what was found, and what to do."""
    whose = f"{one.instrument}: " if one.instrument else ""
    todo = f"; {one.advice}" if one.advice else ""
    return " ".join(f"{whose}{one.text}{todo}".split())


def _refuse(run: Run, title: str, found: Sequence[Finding], instruments: int) -> None:
    if never := refused_always(found, instruments):
        first = never[0]
        more = f" (and {len(never) - 1:,} more)" if len(never) > 1 else ""
        raise PortfolioError(f"{title} is refused: {sentence(first)}{more}.")
    refusing = [one for one in found if run.settings.market_data.on_findings.refuses(one.severity)]
    if refusing:
        first = refusing[0]
        more = f", and {len(refusing) - 1:,} more above" if len(refusing) > 1 else ""
        raise PortfolioError(
            f"{title} is refused by market_data.on_findings.{first.severity}: {sentence(first)}{more}."
        )

"""Take prices in: refuse what cannot be trusted as a whole, quarantine row by row, keep the rest."""

from portfolio.ingest.stage import Loaded, ingest, resolve_as_of

__all__ = ["Loaded", "ingest", "resolve_as_of"]

"""Take prices in: refuse what cannot be trusted as a whole, quarantine row by row, keep the rest."""

"""Numbers with what they count, as messages and reports say them."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return `1 price` or `1,234 prices`; `thing` takes an s for its plural."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"

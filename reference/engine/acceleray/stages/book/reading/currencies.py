"""Currency notation in files: codes, pence, cents and agorot of prices, cash."""

from __future__ import annotations

from acceleray.quant.currencies import CURRENCIES

_MINOR = {
    "GBX": "GBP", "GBp": "GBP", "GBPX": "GBP", "GBPp": "GBP", "ZAc": "ZAR", "ZAX": "ZAR", "ZARc": "ZAR",
    "ILA": "ILS", "ILa": "ILS", "ILX": "ILS", "USX": "USD", "USc": "USD", "EUX": "EUR",
}  # fmt: skip
_UNITS = {
    "": 1.0, "1": 1.0, "pence": 0.01, "penny": 0.01, "p": 0.01, "pennies": 0.01, "cent": 0.01, "cents": 0.01,
    "agorot": 0.01, "major": 1.0, "unit": 1.0, "units": 1.0, "per cent": 0.01, "percent": 0.01, "%": 0.01,
}  # fmt: skip


def currency_of(text: str) -> tuple[str, float]:
    """Return the ISO code that text means and what its unit is worth in it; ('', 1.0) where it means none.

    Prices in `GBX` or `GBp` are pence: GBP, 0.01.
    """
    if text in _MINOR or text.upper() in ("GBX", "ZAX", "ILX", "USX", "EUX"):
        return _MINOR.get(text) or _MINOR[text.upper()], 0.01
    code = text.upper()
    return (code, 1.0) if code in CURRENCIES else ("", 1.0)


def price_unit_of(text: str) -> float | None:
    """Return what one unit of a price is worth in the currency, None where text says no such thing."""
    known = _UNITS.get(text.casefold())
    if known is not None:
        return known
    if text in _MINOR or text.upper() in _MINOR:
        return 0.01
    code, _ = currency_of(text)
    if code:
        return 1.0
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0.0 < number < float("inf") else None


def cash_in(text: str) -> str | None:
    """Return the currency of an id of cash: `CASH.EUR`, `EUR CASH`; '' for `CASH` alone, None for no cash."""
    words = [
        word for word in text.upper().replace("_", " ").replace(".", " ").replace("-", " ").split() if word
    ]
    if "CASH" not in words:
        return None
    rest = [word for word in words if word != "CASH"]
    if not rest:
        return ""
    return rest[0] if len(rest) == 1 and rest[0] in CURRENCIES else None

"""Which characters the bytes of a text file stand for."""

from __future__ import annotations

import codecs

import charset_normalizer

from acceleray.errors import PortfolioError

_MARKS = (
    # UTF-32 begins with the mark of UTF-16, so it comes first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
# Enough for the header of a thousand instruments.
_LOOK = 65_536
# The encoding of spreadsheets that do not write Unicode.
_OFFICE = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "cp949"]


def encoding_of(raw: bytes, origin: str) -> str:
    """Return the name of a text file's encoding, as Python calls it.

    A byte order mark decides; then the zero bytes of UTF-16; then whether all of it is UTF-8. What is left is
    looked at by charset-normalizer. Digits are the same in all of those encodings, only names can differ.

    Raises:
        PortfolioError: the bytes are no text in any known encoding.
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return _checked(raw, name, origin)
    head = raw[:_LOOK]
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) > 4 * min(even, odd) and max(even, odd) > len(head) // 8:
            return _checked(raw, "utf-16-le" if odd > even else "utf-16-be", origin)
        raise _no_text(origin)
    try:
        raw.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        # Lines around the first byte that is not UTF-8 tell more than a file that is ASCII for the most part.
        around = raw[max(0, error.start - _LOOK) : error.start + _LOOK]
    best = charset_normalizer.from_bytes(around, cp_isolation=_OFFICE, threshold=0.5).best()
    if best is None:
        raise _no_text(origin)
    return _checked(raw, best.encoding, origin)


def _checked(raw: bytes, name: str, origin: str) -> str:
    try:
        raw.decode(name)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PortfolioError(
            f"Line {line} of {origin} has bytes that are not {name.upper()}, as others are; save it in UTF-8."
        ) from None
    return name


def _no_text(origin: str) -> PortfolioError:
    return PortfolioError(f"{origin} is not text in a known encoding; save it as CSV in UTF-8.")

"""Hashes of rows of this process: exactly those of Spark's `xxhash64` over the same columns, without Spark.

XXH64 (Collet, 2014, github.com/Cyan4973/xxHash, doc/xxhash_spec.md) of each value, little-endian, the hash of
one column seeding the next; Spark begins with 42 and passes over NULLs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_SEED = 42
_P1, _P2, _P3, _P4, _P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
# Size that fits into the processor caches.
_ROWS_AT_ONCE = 16_384


def hash_total(rows: pa.Table, values: Sequence[str], missing: Sequence[str]) -> int:
    """Return the sum, modulo 2^64, of Spark's hash of each row.

    Args:
        rows: of a table, with the types that declarations have.
        values: columns whose values are hashed, in this order.
        missing: columns of which it is hashed afterwards whether they are NULL.
    """
    total = 0
    for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
        hashes = np.full(batch.num_rows, _SEED, np.uint64)
        for name in values:
            hashes = _hashed(batch.column(name), hashes)
        for name in missing:
            hashes = _four_bytes(batch.column(name).is_null().to_numpy(zero_copy_only=False), hashes)
        total += int(hashes.sum(dtype=np.uint64))
    return total % 2**64


def _hashed(column: pa.Array, seeds: Hashes) -> Hashes:
    kind = column.type
    if pa.types.is_string(kind):
        hashes = _texts(column, seeds)
    elif pa.types.is_boolean(kind):
        hashes = _four_bytes(column.fill_null(False).to_numpy(zero_copy_only=False), seeds)
    elif pa.types.is_date32(kind):
        hashes = _four_bytes(column.cast(pa.int32()).fill_null(0).to_numpy(), seeds)
    elif pa.types.is_floating(kind):
        numbers = column.fill_null(0.0).to_numpy() + 0.0  # -0.0 is 0.0 to Spark
        numbers[np.isnan(numbers)] = np.nan
        hashes = _eight_bytes(numbers.view(np.uint64), seeds)
    else:
        hashes = _eight_bytes(column.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64), seeds)
    if not column.null_count:
        return hashes
    return np.where(column.is_null().to_numpy(zero_copy_only=False), seeds, hashes)


def _texts(column: pa.Array, seeds: Hashes) -> Hashes:
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
    content = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    lengths, hashes = np.diff(places), np.empty_like(seeds)
    for length in np.unique(lengths):
        of = np.flatnonzero(lengths == length)
        characters = content[places[of][:, None] + np.arange(length)]
        hashes[of] = _bytes(characters, seeds[of])
    return hashes


def _bytes(characters: NDArray[np.uint8], seeds: Hashes) -> Hashes:
    """Return the hash of each row of bytes, all of one length."""
    length = characters.shape[1]
    words = np.ascontiguousarray(characters[:, : length // 8 * 8]).view("<u8")
    done = 0
    if length >= 32:
        lanes = [seeds + _P1 + _P2, seeds + _P2, seeds.copy(), seeds - _P1]
        while done + 4 <= words.shape[1]:
            lanes = [_round(lane, words[:, done + place]) for place, lane in enumerate(lanes)]
            done += 4
        hashes = np.zeros_like(seeds)
        for lane, by in zip(lanes, (1, 7, 12, 18), strict=True):
            hashes = hashes + _turned(lane, by)
        for lane in lanes:
            hashes = (hashes ^ _round(np.zeros_like(lane), lane)) * _P1 + _P4
    else:
        hashes = seeds + _P5
    hashes = hashes + np.uint64(length)
    for place in range(done, words.shape[1]):
        hashes = _eight(hashes, words[:, place])
    place = length // 8 * 8
    if place + 4 <= length:
        four = np.ascontiguousarray(characters[:, place : place + 4]).view("<u4")[:, 0]
        hashes = _four(hashes, four.astype(np.uint64))
        place += 4
    for one in range(place, length):
        hashes = _turned(hashes ^ (characters[:, one].astype(np.uint64) * _P5), 11) * _P1
    return _mixed(hashes)


def _eight_bytes(words: Hashes, seeds: Hashes) -> Hashes:
    return _mixed(_eight(seeds + _P5 + np.uint64(8), words))


def _four_bytes(words: NDArray[np.int32] | NDArray[np.bool_], seeds: Hashes) -> Hashes:
    unsigned = words.astype(np.int32).view(np.uint32).astype(np.uint64)
    return _mixed(_four(seeds + _P5 + np.uint64(4), unsigned))


def _eight(hashes: Hashes, words: Hashes) -> Hashes:
    return _turned(hashes ^ _round(np.zeros_like(hashes), words), 27) * _P1 + _P4


def _four(hashes: Hashes, words: Hashes) -> Hashes:
    return _turned(hashes ^ (words * _P1), 23) * _P2 + _P3


def _round(lanes: Hashes, words: Hashes) -> Hashes:
    return _turned(lanes + words * _P2, 31) * _P1


def _turned(hashes: Hashes, by: int) -> Hashes:
    return (hashes << np.uint64(by)) | (hashes >> np.uint64(64 - by))


def _mixed(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> np.uint64(33))) * _P2
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _P3
    return hashes ^ (hashes >> np.uint64(32))

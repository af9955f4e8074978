"""The quick generator of a t copula: its tables against SciPy, its returns against the other, to the bit in
machine code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import chdtri, ndtr, ndtri, stdtr, stdtrit

from acceleray.compiled import DEFAULT_FOLDER, load
from acceleray.quant.bit_tables import cubics, edges, read
from acceleray.quant.copula import TCopula, draw_shocks, t_copula
from acceleray.quant.garch import GjrParameters
from acceleray.quant.scenarios import ParameterArrays, compounded_returns, stack_parameters
from acceleray.quant.table_copula import CopulaTables, TableWalk, copula_tables, table_returns
from acceleray.quant.table_walks import HALF_BITS, LOWEST, NORMALS, WALK

LINES = 7
MARGINS = np.linspace(4.0, 12.0, LINES)
# The last instrument loses more than everything on many days.
SIGMA = np.array([0.01, 0.02, 0.005, 0.03, 0.01, 0.015, 2.0])
# Uniform numbers 0, 2^-53, 1/2 and its neighbours, and 1 - 2^-53, as their 53 highest bits.
CORNERS = np.array([0, 1, 2**52 - 1, 2**52, 2**52 + 1, 2**53 - 1], dtype=np.uint64) << np.uint64(11)


@pytest.fixture(scope="module")
def copula() -> TCopula:
    return t_copula(np.full((LINES, LINES), 0.3) + 0.7 * np.eye(LINES), 5.0, MARGINS)


@pytest.fixture(scope="module")
def tables(copula: TCopula) -> CopulaTables:
    return copula_tables(copula)


@pytest.fixture(scope="module")
def parameters() -> ParameterArrays:
    each = GjrParameters(mu=3e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.91, nu=6.0)
    other = replace(each, mu=-1e-3, gamma=-0.02)
    adding = np.array([False, True, False, False, False, False, False])
    return stack_parameters([each, other, *[each] * (LINES - 2)], adding)


def walk(tables: CopulaTables, parameters: ParameterArrays, *, compiled: bool = False) -> TableWalk:
    return TableWalk(tables, parameters, SIGMA, DEFAULT_FOLDER if compiled else None)


def spread(size: int) -> np.ndarray:
    """Return raw numbers whose distances from both ends run through all octaves."""
    low = np.floor(2.0 ** np.linspace(0.0, 52.0, size)).astype(np.uint64)
    return np.concatenate((CORNERS, low << np.uint64(11), (np.uint64(2**53) - low) << np.uint64(11)))


def test_there_is_machine_code_here() -> None:
    assert load(NORMALS, DEFAULT_FOLDER)
    assert load(WALK, DEFAULT_FOLDER)


def test_segments_of_an_octave_are_equal_and_neighbours_meet() -> None:
    ends = edges(-1, 2, 2)
    np.testing.assert_array_equal(ends, [0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5, 1.75, 2.0])
    table = cubics(np.log, -1, 2, 2)
    np.testing.assert_allclose(read(table, ends, -1, 2), np.log(ends), rtol=0, atol=1e-15)
    before = read(table, np.nextafter(ends[1:], 0.0), -1, 2)
    np.testing.assert_allclose(before, np.log(ends[1:]), rtol=0, atol=1e-15)


def test_a_cubic_is_read_as_it_is_and_the_far_end_is_held() -> None:
    def cubic(at: np.ndarray) -> np.ndarray:
        return ((2.0 * at - 3.0) * at + 0.5) * at - 7.0

    table = cubics(cubic, 0, 3, 3)
    at = np.linspace(1.0, 8.0, 1001)
    np.testing.assert_allclose(read(table, at, 0, 3), cubic(at), rtol=1e-13, atol=1e-13)
    held = read(table, np.array([8.0, 1e300, np.inf, np.nan]), 0, 3)
    np.testing.assert_allclose(held[:3], cubic(np.array(8.0)), rtol=1e-14)
    assert np.isnan(held[3])


def test_normals_are_those_of_scipy_to_the_ends(tables, parameters) -> None:
    raw = spread(20_000)
    uniform = np.maximum((raw >> np.uint64(11)) * 2.0**-53, 2.0**-54)
    found = walk(tables, parameters).normals(raw)
    np.testing.assert_allclose(found, ndtri(uniform), rtol=0, atol=1e-11)
    assert found[0] == pytest.approx(ndtri(2.0**-54), abs=1e-11)
    assert found[3] == 0.0
    assert (np.diff(found[np.argsort(raw)]) >= 0.0).all()


@pytest.mark.parametrize("nu", [2.1, 5.0, 30.0])
def test_the_mixing_is_that_of_a_chi_square_with_the_same_probability(nu: float) -> None:
    copula = t_copula(np.eye(2), nu, np.array([5.0, 5.0]))
    made = copula_tables(copula)
    small = 2.0 ** np.linspace(-40.0, -1.0, 5000)
    found = [read(each, small, LOWEST, HALF_BITS) for each in made.mixing]
    for half, side in zip(found, (1.0, -1.0), strict=True):
        np.testing.assert_allclose(half, copula.mixing(side * ndtri(small)[:, np.newaxis])[:, 0], rtol=1e-10)
    np.testing.assert_allclose(found[1], np.sqrt(nu / chdtri(nu, small)), rtol=1e-7)
    middle = small[small > 1e-3]
    np.testing.assert_allclose(found[0][small > 1e-3], np.sqrt(nu / chdtri(nu, 1.0 - middle)), rtol=1e-7)


@pytest.mark.parametrize("nu", [2.1, 5.0, 30.0])
def test_margins_have_the_quantiles_that_scipy_gives(nu: float) -> None:
    margins = np.array([2.5, 4.0, 8.0, 30.0])
    made = copula_tables(t_copula(np.eye(4), nu, margins))
    probabilities = np.concatenate((np.linspace(1e-3, 0.5, 500), np.logspace(-8, -3, 200)))
    at = 1.0 - stdtrit(nu, probabilities)
    for table, own in zip(made.margins, margins, strict=True):
        expected = -np.sqrt((own - 2.0) / own) * stdtrit(own, stdtr(nu, 1.0 - at))
        np.testing.assert_allclose(read(table, at, 0, made.margin_bits), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("nu", "margin", "bits"),
    [(6.0, 4.0, 7), (2.1, 30.0, 7), (12.0, 2.05, 8), (30.0, 2.05, 10), (1000.0, 2.05, 10)],
)
def test_there_are_as_many_segments_as_a_billionth_of_a_shock_asks_for(nu, margin, bits) -> None:
    copula = t_copula(np.eye(2), nu, np.array([margin, 8.0]))
    made = copula_tables(copula)
    assert made.margin_bits == bits
    size = np.linspace(0.0, -stdtrit(nu, 1e-10), 200_001)
    expected = copula.margins(np.arcsinh(np.column_stack((size, size))))
    for table, shocks in zip(made.margins, expected.T, strict=True):
        found = read(table, 1.0 + size, 0, bits)
        assert (np.abs(found - shocks) / np.maximum(shocks, 1.0)).max() < 1.2e-9


@pytest.mark.parametrize("horizon_d", [1, 10])
def test_every_return_is_within_a_billionth_of_the_standard_one(
    copula, tables, parameters, horizon_d: int
) -> None:
    terms = parameters, SIGMA
    largest = 0.0
    for atom in range(3):
        shocks = np.concatenate(list(draw_shocks(copula, 3, atom, 4096, horizon_d)))
        expected = compounded_returns(shocks, *terms)
        found = table_returns(copula, tables, 3, (atom, 4096), horizon_d, *terms, DEFAULT_FOLDER)
        # The last instrument moves by a multiple of its value: a billionth of that.
        difference = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
        largest = max(largest, float(difference.max()))
        assert expected.min() == found.min() or horizon_d == 1
    assert 0.0 < largest < 1e-9


@pytest.mark.parametrize("horizon_d", [1, 10])
def test_machine_code_has_the_bits_of_numpy(copula, tables, parameters, horizon_d: int) -> None:
    for some in (parameters, replace(parameters, arithmetic=None)):
        terms = copula, tables, 3, (1, 900), horizon_d, some, SIGMA
        assert table_returns(*terms, DEFAULT_FOLDER).tobytes() == table_returns(*terms).tobytes()


def test_machine_code_has_the_bits_of_numpy_at_every_end(tables, parameters) -> None:
    raw = spread(3000)
    expected = walk(tables, parameters).normals(raw)
    assert walk(tables, parameters, compiled=True).normals(raw).tobytes() == expected.tobytes()
    sizes = [0.0, -0.0, 1e-300, -0.5, 3.0, -1e4, 1e9, -1e300, np.inf, -np.inf, np.nan]
    student = np.array(np.broadcast_to(np.array(sizes)[:, np.newaxis], (LINES, len(sizes), len(CORNERS))))
    raw = np.broadcast_to(CORNERS, student.shape[1:]).copy()
    found = np.empty((2, len(sizes), LINES))
    for compiled in (False, True):
        walk(tables, parameters, compiled=compiled).follow(student.copy(), raw, found[int(compiled)])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.isnan(found[0, -1]).all()
    assert np.isfinite(found[0, :-1]).all()


def test_nothing_that_can_be_drawn_lies_beyond_the_tables(copula, tables) -> None:
    farthest = -ndtri(2.0**-54)
    largest = farthest * np.abs(copula.root).sum(axis=1).max()
    largest *= float(copula.mixing(np.array([[-farthest]]))[0, 0])
    octaves = tables.margins.shape[1] >> tables.margin_bits
    assert 2.0**octaves > 1.0 + largest
    assert ndtr(-farthest) == pytest.approx(2.0**-54)


def test_tables_of_twenty_instruments_take_few_megabytes() -> None:
    made = copula_tables(t_copula(np.eye(20), 6.0, np.linspace(4.0, 10.0, 20)))
    assert made.margins.nbytes + made.mixing.nbytes + made.normals.nbytes < 2e6
    assert copula_tables(t_copula(np.eye(20), 2.1, np.full(20, 2.05))).margins.nbytes < 6e6


def test_fewer_scenarios_are_the_first_of_more_and_no_two_atoms_are_alike(copula, tables, parameters) -> None:
    terms = parameters, SIGMA, DEFAULT_FOLDER
    whole = table_returns(copula, tables, 9, (4, 4096), 10, *terms)
    np.testing.assert_allclose(
        table_returns(copula, tables, 9, (4, 100), 10, *terms), whole[:100], rtol=1e-12, atol=1e-13
    )
    assert table_returns(copula, tables, 9, (4, 4096), 10, *terms).tobytes() == whole.tobytes()
    for seed, atom in ((9, 5), (8, 4)):
        other = table_returns(copula, tables, seed, (atom, 4096), 10, *terms)
        assert not np.isclose(other[:, 0], whole[:, 0], rtol=1e-6).any()


def test_many_instruments_are_correlated_block_by_block(parameters) -> None:
    lines = 70  # more than are multiplied together
    correlation = np.full((lines, lines), 0.4) + 0.6 * np.eye(lines)
    copula = t_copula(correlation, 6.0, np.full(lines, 7.0))
    names = ("mu", "omega", "alpha", "gamma", "beta")
    many = ParameterArrays(**{name: np.full(lines, getattr(parameters, name)[0]) for name in names})
    terms = many, np.full(lines, 0.01)
    shocks = np.concatenate(list(draw_shocks(copula, 3, 0, 300, 2)))
    found = table_returns(copula, copula_tables(copula), 3, (0, 300), 2, *terms, DEFAULT_FOLDER)
    np.testing.assert_allclose(found, compounded_returns(shocks, *terms), rtol=0, atol=1e-9)

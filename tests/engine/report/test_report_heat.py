from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from acceleray.report import heat


def test_values_on_an_edge_belong_to_the_step_above_and_the_outer_steps_are_open() -> None:
    steps = heat.Scale((0.0, 1.0, 2.0, 3.0), ("a", "b", "c"))
    values = np.array([-9.0, 0.5, 1.0, 1.5, 2.0, 99.0, np.nan])
    assert steps.step(values).tolist() == [0, 0, 1, 1, 2, 2, -1]


def test_neighbours_of_one_colour_are_one_rectangle_and_untried_cells_are_left_empty() -> None:
    axes = Figure().subplots()
    steps = heat.Scale((0.0, 1.0, 2.0), ("#111111", "#222222"))
    values = np.array([[0.5, 0.5, 1.5], [np.nan, np.nan, 0.5]])
    tried = np.array([[True, True, True], [True, False, True]])
    heat.fill(axes, values, steps, tried)
    found = {patch.get_facecolor()[:3]: patch.get_path().vertices for patch in axes.patches}
    rectangles = {colour: len(corners) // 5 for colour, corners in found.items()}
    grey = tuple(int(heat.WITHOUT[i : i + 2], 16) / 255 for i in (1, 3, 5))
    assert rectangles == {(17 / 255,) * 3: 2, (34 / 255,) * 3: 1, grey: 1}
    assert found[(17 / 255,) * 3][:2, 0].tolist() == [-0.5, 1.5]
    assert found[grey][:2, 0].tolist() == [-0.5, 0.5]


@pytest.mark.parametrize("values", [[], [0.97], [0.97, 0.97], [0.0, 0.0], [0.9, 0.95, 0.99, 50.0], [np.nan]])
def test_a_scale_has_rising_edges_and_a_colour_for_each_step(values: list[float]) -> None:
    steps = heat.scale(np.array(values))
    assert (np.diff(steps.edges) > 0).all()
    assert len(steps.colours) == len(steps.edges) - 1 <= 7

"""Made-up markets to simulate: for each method, by each generator, and with every scenario drawn."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from acceleray.quant.copula import t_copula
from acceleray.quant.garch import GjrParameters
from acceleray.quant.scenarios import stack_parameters
from acceleray.quant.table_copula import copula_tables
from acceleray.stages.simulate.scenario_inputs import World

DAYS = 2000


def made_up(portfolios: int, instruments: int, methods: list[str]) -> list[World]:
    """Return a made-up market for each method; its numbers are typical of daily share returns."""
    generator = np.random.default_rng(20_240_229)
    market = generator.standard_t(5, (DAYS, 1))
    residuals = np.sqrt(0.3) * market + np.sqrt(0.7) * generator.standard_t(5, (DAYS, instruments))
    each = GjrParameters(mu=3e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.91, nu=6.0)
    world = World(
        seed=20_260_101,
        residuals=residuals / residuals.std(axis=0),
        parameters=stack_parameters([each] * instruments),
        next_sigma=np.linspace(0.008, 0.02, instruments),
        weights=generator.dirichlet(np.ones(instruments), portfolios),
    )
    correlation = np.full((instruments, instruments), 0.3) + 0.7 * np.eye(instruments)
    copula = t_copula(correlation, 6.0, np.linspace(4.0, 10.0, instruments))
    worlds = {"filtered_historical": world, "t_copula": replace(world, copula=copula)}
    return [worlds[method] for method in methods]


def generated(world: World, generator: str) -> World:
    """Return the same world, with the scenarios of its copula made by a generator."""
    if generator == "standard" or world.copula is None:
        return world
    return replace(world, tables=copula_tables(world.copula))


class Sampled(World):
    """A world that draws its scenarios at every horizon."""

    def enumerated(self, horizon_d: int) -> bool:
        """Return False."""
        return False


def sampled(world: World) -> World:
    """Return the same world with every scenario drawn."""
    return Sampled(**{field.name: getattr(world, field.name) for field in fields(world)})

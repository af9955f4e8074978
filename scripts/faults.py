"""Faults that a person could make: one line each, and the test file that must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A line of the package, what it is made to say, and the test file that must notice."""

    workload: str
    what: str
    module: str
    right: str
    wrong: str
    noticed_by: str


# One at least for every workload.
WORKLOADS = (
    Fault(
        "hyperparameter_tuning",
        "labels of the training dates look into the test block",
        "quant/validation.py",
        "gap = purge_d + embargo_d",
        "gap = embargo_d",
        "quant/test_validation.py",
    ),
    Fault(
        "distributed_training",
        "the gate takes a better model for a worse one",
        "train/gate.py",
        "self.difference < 0.0 and",
        "self.difference > 0.0 and",
        "train/test_gate.py",
    ),
    Fault(
        "batch_inference",
        "a model scores features in another order than it was trained on",
        "score/model.py",
        "known = tuple(restored(model.content).feature_names or ())",
        "known = FEATURE_NAMES",
        "score/test_score_model.py",
    ),
    Fault(
        "end_to_end_pipeline",
        "expected shortfall drops the fractional scenario at the edge of the tail",
        "quant/risk.py",
        "shortfall = (total + (mass - whole) * edge) / mass",
        "shortfall = total / mass",
        "quant/test_risk.py",
    ),
    Fault(
        "portfolio_model_calibration",
        "persistence counts every shock as a negative one",
        "quant/garch.py",
        "return self.alpha + self.gamma / 2.0 + self.beta",
        "return self.alpha + self.gamma + self.beta",
        "quant/test_garch.py",
    ),
    Fault(
        "investment_signal_prioritization",
        "dependence between signals is not paid for",
        "quant/multiple_testing.py",
        '"fdr_by"',
        '"fdr_bh"',
        "quant/test_multiple_testing.py",
    ),
    Fault(
        "risk_stress_testing",
        "a logarithmic change is taken for a return",
        "stress/shocked.py",
        "np.expm1(explained)",
        "explained",
        "stress/test_stress_shocked.py",
    ),
)

# A fault for every known answer and invariant of calibration and stress testing.
CALIBRATION, STRESS = "portfolio_model_calibration", "risk_stress_testing"
RISK = tuple(
    Fault(*each)
    for each in (
        (
            CALIBRATION,
            "a fall moves the variance like a rise of the same size",
            "quant/garch.py",
            "np.where(shocks < 0.0, parameters.alpha + parameters.gamma, parameters.alpha)",
            "np.where(shocks > 0.0, parameters.alpha + parameters.gamma, parameters.alpha)",
            "quant/test_garch.py",
        ),
        (
            CALIBRATION,
            "the variance before the first day is what arch takes by itself",
            "quant/garch.py",
            "                backcast=backcast,\n",
            "",
            "quant/test_garch.py",
        ),
        (
            CALIBRATION,
            "the half-life is that of the volatility",
            "quant/garch.py",
            "return math.log(0.5) / math.log(self.persistence)",
            "return 2.0 * math.log(0.5) / math.log(self.persistence)",
            "quant/test_garch.py",
        ),
        (
            CALIBRATION,
            "standard errors believe that the model is right",
            "quant/garch.py",
            'cov_type="robust"',
            'cov_type="classic"',
            "quant/test_garch.py",
        ),
        (
            CALIBRATION,
            "a residual is divided by the volatility that its own day led to",
            "quant/garch.py",
            "variance_path(returns, parameters, initial_variance)[:-1]",
            "variance_path(returns, parameters, initial_variance)[1:]",
            "quant/test_garch.py",
        ),
        (
            CALIBRATION,
            "the exponentially weighted variance of a day knows the day",
            "quant/ewma.py",
            "variance[1:] = weighted",
            "variance[:-1] = weighted",
            "quant/test_ewma.py",
        ),
        (
            CALIBRATION,
            "standard errors of betas take months for independent",
            "quant/factor_model.py",
            '"maxlags": newey_west_lags(months)',
            '"maxlags": 0',
            "quant/test_factor_model.py",
        ),
        (
            CALIBRATION,
            "the correlation is not shrunk, so that it is singular with few days",
            "quant/correlation.py",
            "correlation = (1.0 - shrinkage) * sample",
            "correlation = sample.copy()",
            "quant/test_correlation.py",
        ),
        (
            CALIBRATION,
            "the t copula's density forgets one instrument",
            "quant/correlation.py",
            "+ (instruments - 1) * gammaln(nu / 2.0)",
            "+ instruments * gammaln(nu / 2.0)",
            "quant/test_correlation.py",
        ),
        (
            CALIBRATION,
            "the gate lets drift pass",
            "calibrate/gate.py",
            "if abs(drift[place]) > limits.drifted_above",
            "if drift[place] > 10 * limits.drifted_above",
            "calibrate/test_gate.py",
        ),
        (
            STRESS,
            "attribution drops the residual",
            "quant/stress.py",
            "return explained, logs - explained, returns - logs",
            "return explained, logs - explained, np.zeros_like(returns)",
            "quant/test_stress.py",
        ),
        (
            STRESS,
            "a loss of a book is published without its residual",
            "stress/rows.py",
            "parts = (each.returns, each.factor, each.specific, each.residual)",
            "parts = (each.returns, each.factor, each.specific, 0.0 * each.residual)",
            "stress/test_stress_rows.py",
        ),
        (
            STRESS,
            "correlated factors are shocked independently",
            "quant/stress.py",
            "changes = np.sum(covariance[:, core] * weights, axis=1)",
            "changes = np.zeros(len(covariance))",
            "quant/test_stress.py",
        ),
        (
            STRESS,
            "plausibility is a squared distance",
            "quant/stress.py",
            "return float(np.sqrt(np.sum(changes * _solve(covariance, changes))))",
            "return float(np.sum(changes * _solve(covariance, changes)))",
            "quant/test_stress.py",
        ),
        (
            STRESS,
            "reverse stress gains what it should lose",
            "quant/stress.py",
            "return np.asarray(-loss * marginal / variance)",
            "return np.asarray(loss * marginal / variance)",
            "quant/test_stress.py",
        ),
        (
            STRESS,
            "a basis point is a percentage point",
            "stress/units.py",
            "value * _IN_POINTS[unit]",
            "value",
            "stress/test_stress_units.py",
        ),
        (
            STRESS,
            "simulated tails forget the fractional scenario",
            "quant/tails.py",
            "mean = np.maximum(total, 0.0) / level.mass",
            "mean = np.maximum(total, 0.0) / max(int(level.mass), 1)",
            "quant/test_tails.py",
        ),
        (
            STRESS,
            "contributions to expected shortfall forget the fractional scenario",
            "quant/tails.py",
            "share = edge_share(level.mass, start[edge], times[edge])",
            "share = edge_share(float(int(level.mass)), start[edge], times[edge])",
            "quant/test_tails.py",
        ),
        (
            STRESS,
            "contributions do not add up to the total",
            "quant/euler.py",
            "return np.asarray(contributions + sizes * share[:, np.newaxis])",
            "return np.asarray(contributions + 1e-8 * sizes * share[:, np.newaxis])",
            "quant/test_euler.py",
        ),
        (
            STRESS,
            "value at risk is one scenario too mild",
            "quant/risk.py",
            "tail_value_at_risk(_largest(columns, int(mass) + 1), mass)",
            "tail_value_at_risk(_largest(columns, int(mass) + 2)[1:], mass)",
            "quant/test_risk.py",
        ),
        (
            STRESS,
            "every instrument draws a day of its own",
            "quant/scenarios.py",
            "        daily *= residuals[drawn]\n",
            "        daily *= np.column_stack([np.roll(z, i)[drawn] for i, z in enumerate(residuals.T)])\n",
            "quant/test_scenarios.py",
        ),
        (
            STRESS,
            "ten days are ten times the same volatility",
            "quant/scenarios.py",
            "            variance = variance * carry[drawn]\n            variance += parameters.omega\n",
            "            variance = variance * 1.0\n",
            "quant/test_scenarios.py",
        ),
        (
            STRESS,
            "shocks of the t copula lose the common shock",
            "quant/copula.py",
            "        student *= self.mixing(mixing_normals[:, np.newaxis])\n",
            "        student *= self.mixing(mixing_normals[:, np.newaxis]).mean()\n",
            "quant/test_copula.py",
        ),
        (
            STRESS,
            "history includes the day that is forecast",
            "quant/forecasts.py",
            "views[start - window : values.size - window]",
            "views[start - window + 1 : values.size - window + 1]",
            "quant/test_forecasts.py",
        ),
        (
            STRESS,
            "the normal forecast uses today's variance",
            "quant/forecasts.py",
            "sigma = np.sqrt(ewma_variance(returns, decay)[start:-1])",
            "sigma = np.sqrt(ewma_variance(returns, decay)[start + 1 :])",
            "quant/test_forecasts.py",
        ),
        (
            STRESS,
            "the calibrated forecast replays the day that is forecast",
            "quant/forecasts.py",
            "replayed = filled[max(end - window, 0) : end] * sigma[step] + means",
            "replayed = filled[max(end - window, 0) : end + 1] * sigma[step] + means",
            "quant/test_forecasts.py",
        ),
        (
            STRESS,
            "the calibrated forecast is for the day before",
            "quant/forecasts.py",
            "sigma[:, place] = path[first:last]",
            "sigma[:, place] = path[first - 1 : last - 1]",
            "quant/test_forecasts.py",
        ),
        (
            STRESS,
            "past returns are tested against today's value at risk",
            "backtest/blocks.py",
            "np.stack(forecasts))",
            "np.stack(forecasts)[..., -1:] + 0.0 * np.stack(forecasts))",
            "backtest/test_blocks.py",
        ),
        (
            STRESS,
            "losses are shifted by one day against their forecasts",
            "backtest/blocks.py",
            "BlockForecasts(-series[block.first :],",
            "BlockForecasts(-series[block.first - 1 : -1],",
            "backtest/test_blocks.py",
        ),
        (
            STRESS,
            "coverage is judged with one degree of freedom too many",
            "quant/backtest.py",
            "_likelihood(exceptions, days, expected), 1)",
            "_likelihood(exceptions, days, expected), 2)",
            "quant/test_backtest.py",
        ),
        (
            STRESS,
            "independence compares a day with itself",
            "quant/backtest.py",
            "today, before = hits[1:], hits[:-1]",
            "today, before = hits[1:], hits[1:]",
            "quant/test_backtest.py",
        ),
        (
            STRESS,
            "conditional coverage is judged with one degree of freedom",
            "quant/backtest.py",
            "LikelihoodRatio(statistic, float(chi2.sf(statistic, 2)))",
            "LikelihoodRatio(statistic, float(chi2.sf(statistic, 1)))",
            "quant/test_backtest.py",
        ),
        (
            STRESS,
            "ten exceptions are not red yet",
            "quant/backtest.py",
            "_RED_FROM = 0.9999\n",
            "_RED_FROM = 0.99999\n",
            "quant/test_backtest.py",
        ),
        (
            STRESS,
            "a Basel multiplier is of another table",
            "quant/backtest.py",
            "1.70, 1.76, 1.83",
            "1.70, 1.75, 1.85",
            "quant/test_backtest.py",
        ),
        (
            STRESS,
            "Z2 divides by the wrong tail",
            "quant/backtest.py",
            "excess.sum() / (excess.size * (1.0 - confidence))",
            "excess.sum() / (excess.size * confidence)",
            "quant/test_backtest.py",
        ),
    )
)

FAULTS = (*WORKLOADS, *RISK)

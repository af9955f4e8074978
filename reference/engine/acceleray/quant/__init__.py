"""Financial mathematics in plain NumPy: returns, risk, scenarios, backtests, signals.

Conventions of every module: returns are simple returns as decimal fractions, a loss is positive,
value-at-risk and expected shortfall are positive losses, and a forecast for day t uses data up to day t-1
only.
"""

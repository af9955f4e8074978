"""Score: instruments by the signal model, portfolios by score, risk and exposure."""

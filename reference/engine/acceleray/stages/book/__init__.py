"""Book: the portfolios whose risk is computed."""

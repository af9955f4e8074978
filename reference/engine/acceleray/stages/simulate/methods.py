"""The names of the methods that scenarios are made by."""

FILTERED_HISTORICAL, T_COPULA = "filtered_historical", "t_copula"

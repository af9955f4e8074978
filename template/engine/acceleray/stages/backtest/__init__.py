"""Backtest: every out-of-sample day, four models side by side."""

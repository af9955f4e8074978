"""Signals: signals ranked by evidence that survives costs and multiple testing."""

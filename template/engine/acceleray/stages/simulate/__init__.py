"""Simulate: joint scenarios priced into every portfolio."""

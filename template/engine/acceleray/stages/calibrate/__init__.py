"""Calibrate: volatility models of instruments, their gate, and how instruments move together."""

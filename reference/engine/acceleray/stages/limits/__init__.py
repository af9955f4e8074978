"""Limits: what the desk may risk, and how much of it is used."""

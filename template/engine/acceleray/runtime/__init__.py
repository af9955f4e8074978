"""Execution of a workload: run, evidence, progress and notebook."""

"""Recipes: every module in this folder is one workload, and defines WORKLOAD."""

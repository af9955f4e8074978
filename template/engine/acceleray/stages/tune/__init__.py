"""Tune: search for hyperparameters that rank best, and say what is left of them after so many tries.

`stage` is the way in. Nothing is imported here: the processes of a search import `trial` and would wait for
what only the run needs.
"""

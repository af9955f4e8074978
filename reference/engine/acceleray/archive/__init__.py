"""Archives of runs: they need no Delta history, and runs are reproduced from them."""

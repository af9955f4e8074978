"""Train: the signal model, its validation, its gate and its card."""

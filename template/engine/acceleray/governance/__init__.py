"""Evidence: MLflow runs, the model registry, and the way back from a number to what made it."""

"""Features: returns and cross-sectional features, in Spark."""

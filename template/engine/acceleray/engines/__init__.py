"""Spark, Delta and Ray: how they start, stop and hand data to each other."""

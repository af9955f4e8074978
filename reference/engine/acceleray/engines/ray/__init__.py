"""Ray: on one machine or inside Spark, and what is fanned out over it."""

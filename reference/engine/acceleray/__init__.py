"""Portfolio analytics on Spark, Delta Lake, Ray and MLflow."""

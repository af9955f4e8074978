"""Read holdings as people have them: positions, portfolios and instruments, up to validated rows.

Encodings, separators, decimal marks, packed files and dates are read by `acceleray.stages.ingest.reading`;
what is said here is where a table begins and ends and what its columns mean. Nothing here needs Spark.
"""

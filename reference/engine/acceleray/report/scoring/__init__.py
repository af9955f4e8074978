"""The scoring page of the report."""

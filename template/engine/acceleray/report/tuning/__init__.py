"""The tuning page of the report."""

"""The training page of the report."""

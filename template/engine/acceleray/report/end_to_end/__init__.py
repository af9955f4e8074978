"""The end-to-end page of the report."""

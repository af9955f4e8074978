"""The signals page of the report."""

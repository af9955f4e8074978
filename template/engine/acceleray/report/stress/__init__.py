"""The stress page of the report."""

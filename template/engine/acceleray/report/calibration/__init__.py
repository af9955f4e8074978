"""The calibration page of the report."""

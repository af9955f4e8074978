"""Change: what moved value at risk and expected shortfall since the last report."""

"""What-if analysis: trades and hedges evaluated on scenarios in memory."""

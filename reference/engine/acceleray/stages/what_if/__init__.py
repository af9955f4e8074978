"""What if: trades and hedges judged on scenarios that stay in memory."""

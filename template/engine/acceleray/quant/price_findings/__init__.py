"""Surprises in series of prices: splits, bad prints, weekly files, returns taken for prices, twins."""

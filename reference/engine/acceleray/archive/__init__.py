"""Runs kept for years: archives that need no Delta history, and runs made again from them."""

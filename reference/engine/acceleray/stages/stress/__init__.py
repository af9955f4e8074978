"""Stress: replayed, hypothetical and reverse stress of the book."""

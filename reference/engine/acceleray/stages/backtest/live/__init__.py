"""Live record: risk as it was reported, held against the profit and loss that came after it."""

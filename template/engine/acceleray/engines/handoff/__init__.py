"""The governed hand-off: rows of a pinned version go from Spark to Ray, results come back in one commit.

Read `selection` (what is handed over), `ways` (how, and why that way), then `transform` (there and back).
"""

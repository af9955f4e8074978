"""Tables of this project: every module in this folder declares some, and lists them as TABLES."""

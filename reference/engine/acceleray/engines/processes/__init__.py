"""Processes: the ones a run starts, its lock, its temporary folders."""

"""Spark: its session, its Java, its jars, its cluster on this machine."""

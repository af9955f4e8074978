"""The steps of a workload, each a folder: what it reads, computes and commits."""

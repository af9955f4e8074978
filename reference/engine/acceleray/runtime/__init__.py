"""What executes a workload: its run, its evidence, its progress, and the notebook around it."""

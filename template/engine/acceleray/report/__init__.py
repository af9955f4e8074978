"""The reports: a self-contained HTML page for each kind of workload, in a separate package."""

"""Delta: tables committed, read at a version, and kept small."""

"""Commands that messages recommend, by the names of the recipes as they are generated."""

# Both train a signal model; a project may have either. The command line says so where one is missing.
TRAINERS = ("distributed_training", "end_to_end_pipeline")
TO_TRAIN = " or ".join(f"`portfolio run {name}`" for name in TRAINERS)
TO_SEARCH = "`portfolio run hyperparameter_tuning`"

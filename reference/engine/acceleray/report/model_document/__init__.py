"""The model document: what a validator of a risk model or a signal model asks for first."""

"""The crisis guard: it runs before the classifier and without it. Pure."""

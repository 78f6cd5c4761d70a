"""The records of all methods, by family."""

"""Use cases: the only door through which anything changes."""

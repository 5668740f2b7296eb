"""Releases of the trained model: what is kept, what is served, how a new one compares, and what an old one decided."""

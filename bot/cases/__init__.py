"""Disputes and complaints: their kinds, course, clock, numbers and evidence, and how a kind is read. Pure."""

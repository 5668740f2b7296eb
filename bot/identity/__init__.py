"""Verification levels, the factors that prove identity, and operator roles. Pure."""

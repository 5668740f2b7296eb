"""The operators' console: pages, actions and a live feed. Everything it knows or does goes through ``bot.services``."""

PREFIX = "/console"
"""Where the console lives on the gateway; its cookies are bound to it."""

"""Rights and consequences: reviewed articles, the rules they rest on, and finding the right one. Pure."""

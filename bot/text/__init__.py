"""Reading what borrowers type: scripts, spelling, amounts, dates and other values.

Pure and dependency-light on purpose (standard library and OpenCC): both the service environment and the
older Rasa environment import it.
"""

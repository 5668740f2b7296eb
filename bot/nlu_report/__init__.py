"""Measuring the reading of messages: figures, pictures, comparison with the last time, and floors that tests hold.

The model is loaded once, in Rasa's environment, for all texts; everything here is computed from what it answered. No
text of a measuring set is written anywhere: reports name rows by their ids.
"""

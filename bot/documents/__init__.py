"""Papers for borrowers: agreement, statement and clearance letter as PDF, the schedule as a picture.

Pure: facts in, bytes out. Equal facts give equal bytes, so a document's SHA-256 is stable.
"""

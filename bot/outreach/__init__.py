"""The contact policy: one gate that every outbound message passes. Pure."""

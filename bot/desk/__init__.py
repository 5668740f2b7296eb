"""Who owns a conversation and what waits in the queue. Pure."""

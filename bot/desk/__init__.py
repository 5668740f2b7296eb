"""Who owns a conversation, who may read it, what waits in the queue, and how the work is reviewed. Pure."""

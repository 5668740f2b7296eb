"""The ways in and out: the web chat, Telegram, and the client of the dialogue engine."""

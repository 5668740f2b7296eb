"""Tables, engine and the vault for personal data. Only ``bot.services`` may use this package."""

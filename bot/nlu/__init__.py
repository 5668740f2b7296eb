"""Components that run inside the Rasa process. Besides ``bot.text`` they use only what that runtime holds."""

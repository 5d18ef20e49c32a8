"""Public solutions of the challenge, each whole, with its own front end."""

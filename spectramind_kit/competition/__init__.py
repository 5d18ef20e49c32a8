"""The competition folder: where its files are, and what they hold."""

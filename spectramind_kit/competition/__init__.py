"""The competition folder: where its files are, what they hold, and the store of what we made of them."""

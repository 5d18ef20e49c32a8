"""Talking to Kaggle through its official client."""

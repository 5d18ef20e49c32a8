"""Blends of several runs' predictions: reading them, weighing them on held-out planets, writing one submission."""

"""Hydra configuration groups; ``spectramind_kit.config`` says what every key means."""

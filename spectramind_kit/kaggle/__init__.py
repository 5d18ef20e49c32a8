"""Packaging and delivery for Kaggle: wheel dataset, kernels, rehearsal. Knows nothing of physics."""

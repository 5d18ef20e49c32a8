"""Packaging and delivery for Kaggle: wheel dataset, kernels, dry run. Knows nothing of physics."""

"""What Kaggle allows: kernels, limits, parameters, output."""

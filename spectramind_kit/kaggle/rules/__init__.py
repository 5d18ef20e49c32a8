"""What Kaggle allows: kernels, limits, parameters, folders of a session, output."""

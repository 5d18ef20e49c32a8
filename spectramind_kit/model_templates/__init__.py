"""Working models to start from: a regressor over tables, a torch module, and what writes them under a new name."""

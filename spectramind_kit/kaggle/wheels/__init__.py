"""Building the dataset of wheels, and installing from it."""

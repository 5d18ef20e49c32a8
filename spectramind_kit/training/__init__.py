"""Learning from the training planets: folds, population, sigma scale, checkpoint."""

"""Commands about settings, recorded runs and their ranking, and what all commands share."""

"""The groups of the configuration: what every number means, its unit and its range."""

"""The forward model of a transit: orbit, limb darkening, light curve."""

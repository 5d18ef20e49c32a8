"""Photometry: from calibrated pixels to light curves of 283 wavelengths."""

"""Calibration of the predicted sigmas."""

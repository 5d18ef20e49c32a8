"""Detector calibration: one effect, one module, one pure function; ``pipeline`` lists them in order, ``paths`` the fast ones."""

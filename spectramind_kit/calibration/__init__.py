"""Detector calibration: one effect, one module, one pure function; the pipeline is their ordered list."""

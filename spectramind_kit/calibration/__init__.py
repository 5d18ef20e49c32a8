"""Detector calibration: one effect, one module, one pure function; ``pipeline`` is their ordered list.

``paths`` chooses between it and the fast paths, which repeat every effect.
"""

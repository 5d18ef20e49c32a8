"""Diagnostics: pictures and the HTML report. They read products and feed nothing back."""

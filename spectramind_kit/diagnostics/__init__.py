"""Diagnostics: the HTML report, pictures, a planet in the terminal. They read products and feed nothing back."""

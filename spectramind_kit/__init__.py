"""SpectraMind V50: from Ariel's raw detector cubes to a transmission spectrum with honest sigmas.

Import from the leaf modules (``from spectramind_kit.fitting.posterior import fit_transit``); this file
imports nothing, so that ``import spectramind_kit`` costs nothing.
"""

__version__ = "0.1.0"

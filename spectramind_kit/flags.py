"""Quality flags: what may be wrong with a product, as an enumeration that numbers may use and people can read.

A product carries its flags as a mapping from each flag that is set to what was measured. Whatever computes with
quality asks which flags are set, or how many; the words are for people only. Sentences about what failed, and so made
no product, are called problems everywhere.
"""

from collections.abc import Mapping
from enum import StrEnum


class Flag(StrEnum):
    """What may be wrong with a product; the value is the text that users read."""

    STAR_TABLE_MISSING = "star table missing"
    STAR_ROW_MISSING = "no row in the star table"
    STAR_ROW_INCOMPLETE = "no usable number in the star table"
    ADC_OF_TRAINING = "no usable row of the ADC's table: the constants of the training folder"
    AXIS_OF_TRAINING = "axis_info.parquet cannot be used: the axes of the training folder"
    FGS1_MISSING = "FGS1: no usable file, AIRS-CH0 alone is measured"
    AIRS_MISSING = "AIRS-CH0: no usable file, FGS1 alone is measured"
    ROBUST_FIT = "fitted with fewer parameters, one visit only"
    FGS1_CALIBRATION_LOST = "FGS1: pixels count as dead, their calibration is not a number"
    AIRS_CALIBRATION_LOST = "AIRS-CH0: pixels count as dead, their calibration is not a number"
    FGS1_NOT_LINEAR = "FGS1: its linearity cannot be corrected: sigma is widened"
    AIRS_NOT_LINEAR = "AIRS-CH0: its linearity cannot be corrected: sigma is widened"
    FGS1_SATURATED = "FGS1: pixels saturated in many exposures, their light is modelled"
    AIRS_SATURATED = "AIRS-CH0: pixels saturated in many exposures, their light is modelled"
    FGS1_BAD_APERTURE = "FGS1: many pixels of the aperture are bad"
    AIRS_BAD_APERTURE = "AIRS-CH0: many pixels of the aperture are bad"
    FGS1_EXPOSURES_LOST = "FGS1: exposures do not show the star, their bins are not used"
    AIRS_EXPOSURES_LOST = "AIRS-CH0: exposures do not show the star, their bins are not used"
    ORBIT_UNKNOWN = "orbit not in the star table: broad prior"
    TEMPERATURE_UNKNOWN = "stellar temperature not in the star table: broad prior on limb darkening"
    FGS1_UNUSABLE = "FGS1: wavelengths without usable light"
    AIRS_UNUSABLE = "AIRS-CH0: wavelengths without usable light"
    FGS1_NOISY = "FGS1: residuals scatter more than photon and read noise"
    AIRS_NOISY = "AIRS-CH0: residuals scatter more than photon and read noise"
    OUTLIERS = "points rejected as outliers"
    NOT_CONVERGED = "fit did not converge"
    FGS1_RED_NOISE = "FGS1: residuals correlated in time"
    AIRS_RED_NOISE = "AIRS-CH0: residuals correlated in time"
    FLUX_JUMP = "flux jump"
    SPOT_CROSSING = "spot crossing: the planet covers a star spot, whose shape is fitted as well"
    NO_TRANSIT = "no transit found"
    GRAZING = "transit grazes the star: its depth cannot be told from the height it passes at"
    IMPLAUSIBLE_ORBIT = "duration far from what the star table's orbit allows: not this planet's transit?"
    INGRESS_CUT = "transit cut at the edge of the window: it began before the observation"
    EGRESS_CUT = "transit cut at the edge of the window: it went on after the observation"
    AT_THE_LIMB = "FGS1 and AIRS-CH0 differ where the planet may graze the star's limb: the level is widened"
    FGS1_DEPTH = "FGS1 depth differs from AIRS-CH0: saturated or diluted light?"
    CHANNELS_DISAGREE = "FGS1 and AIRS-CH0 see different depths: sigma is widened to their difference"
    DEPTH_CLAMPED = "depth beyond all training planets: clamped, sigma widened"
    UNLIKE_TRAINING = "light curves beyond the ranges of all training planets: sigma is widened"
    COVERAGE_UNLIKE_TRAINING = "less light, or other times, than all training planets have"
    STAR_UNLIKE_TRAINING = "star table beyond the ranges of all training planets"
    WAVELENGTHS_OUTLYING = "wavelengths far off their neighbours are not used"
    FGS1_IMPOSSIBLE_CALIBRATION = "FGS1: pixels count as dead, their calibration is impossible"
    AIRS_IMPOSSIBLE_CALIBRATION = "AIRS-CH0: pixels count as dead, their calibration is impossible"
    VISITS_DIFFER_IN_LEVEL = "visits disagree in level"
    VISITS_DIFFER_IN_SHAPE = "visits disagree in shape"
    VISIT_TWICE = "a visit is there twice, and counts once"


Flags = Mapping[Flag, str]
"""The flags that are set, each with what was measured, "" where there is nothing to measure."""
SAME_IN_EVERY_FOLDER = frozenset({Flag.ADC_OF_TRAINING, Flag.AXIS_OF_TRAINING})
"""Flags of what was replaced by the same: people should know, and no number changes."""


NOT_LINEAR = {"FGS1": Flag.FGS1_NOT_LINEAR, "AIRS-CH0": Flag.AIRS_NOT_LINEAR}
"""By channel."""


def flag_sentences(flags: Flags) -> list[str]:
    """Return flags as users read them: the text, and what was measured in brackets."""
    return [f"{flag} ({detail})" if detail else str(flag) for flag, detail in flags.items()]

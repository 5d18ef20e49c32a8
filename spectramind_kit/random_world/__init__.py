"""Worlds drawn at random, whose physics shares no module and no constant with the light-curve fit."""

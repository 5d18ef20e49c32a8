# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From raw frames to a submission
#
# Twelve simulated planets and half a minute of a processor: what Ariel's detectors record, what becomes of it step by
# step, and how good the answer is. The simulated folder has the competition's layout, so that the same cells read the
# real one: leave out the second cell, and say in the first one where it lies. `python docs/write_tutorial.py` runs
# this page anew.

# %% tags=["parameters"]
from pathlib import Path

from spectramind_kit.config import load_config

data, work = Path("tutorial/data"), Path("tutorial/work")

# %% tags=["simulate"]
from spectramind_kit import runs

few_frames = load_config(["simulation.airs_average=75", "simulation.fgs1_average=300"])  # means of so many real ones
runs.simulate(data, n_train=10, n_test=2, config=few_frames, seed=3)

# %% [markdown]
# ## What there is
#
# Of every planet there are frames of two detectors: FGS1, a photometer (0.6 to 0.8 um), and AIRS-CH0, a spectrometer
# (1.95 to 3.9 um). A pixel is read twice after each reset; the difference is an exposure. Beside the frames lie
# calibration tables, and a table of stars and orbits. The spectra of the training planets are known.

# %%
import spectramind_kit as sm

folder = sm.open(data)
planet_id = folder.planet_ids("test")[0]
folder.planet("test", planet_id).orbit

# %%
import matplotlib.pyplot as plt
import numpy as np

from spectramind_kit.competition.frames import read_frame
from spectramind_kit.instruments import AIRS

observation = folder.observations("test", planet_id)[0]
frame = read_frame(observation, AIRS.name, np.arange(*AIRS.science_columns), frame=1)
figure, axes = plt.subplots(figsize=(7.5, 2.2))
image = axes.imshow(frame / 1e3, aspect="auto", origin="lower", cmap="inferno")
figure.colorbar(image, label="1000 ADU")
axes.set(title="second read of the first exposure, AIRS-CH0", xlabel="column (wavelength)", ylabel="row")

# %% [markdown]
# The star's light is a trace over the columns, red at the left. The planet is nowhere to be seen: it takes some per
# cent of that light away for some hours, and its atmosphere a hundredth of those per cent more or less from column to
# column.
#
# ## From counts to light curves
#
# Every correction is one function of `calibration/`; the products say which were made.

# %%
from spectramind_kit.photometry.light_curves import extract_light_curves

config = load_config()
curves = extract_light_curves(observation, config.calibration, config.photometry)
curves.applied

# %%
from spectramind_kit.diagnostics.plots import plot_light_curves

plot_light_curves(curves)

# %% [markdown]
# ## The transit
#
# All 283 wavelengths are fitted together: a level and a depth each; orbit, limb darkening, drift and pointing shared,
# with priors. What star and orbit the table gives is a loose prior only.

# %%
from spectramind_kit.diagnostics.plots import plot_fit

fit = sm.fit(curves, folder.planet("test", planet_id))
plot_fit(fit)

# %% [markdown]
# The depths of single wavelengths are noisy, and they err together, because they share a star and a drift. The fit
# knows this: its covariance is not diagonal, and the error of a mean over wavelengths is larger than their number
# would let one think.

# %%
airs, airs_sigma = fit.covariance[1:, 1:], fit.sigma[1:]
print(f"error of FGS1 {1e6 * fit.sigma[0]:.0f} ppm, of a wavelength of AIRS-CH0 {1e6 * np.median(airs_sigma):.0f} ppm")
print(f"of the mean of AIRS-CH0 {1e6 * np.sqrt(airs.mean()):.0f} ppm")
print(f"the same, if they were independent, {1e6 * np.sqrt((airs_sigma**2).sum()) / len(airs_sigma):.0f} ppm")

# %% [markdown]
# ## What labels teach
#
# Training learns how spectra look like (a prior of levels and shapes), how star and instrument behave, and how far
# sigmas have to be stretched, from planets that are held out. `model=none` leaves out the network, which ten planets
# could not teach.

# %%
model = sm.train(data, work, "model=none")
f"held-out score {model.score:.3f}"

# %% [markdown]
# ## The submission

# %%
summary = sm.submit(data, work, "model=none")
summary.table()

# %%
from spectramind_kit.diagnostics.plots import plot_spectrum

truth_ids, truth = folder.test_truth()
plot_spectrum(summary.spectra[0], truth[list(truth_ids).index(planet_id)])

# %% [markdown]
# Nobody but the simulator knows the true spectrum of a test planet, so that one can score oneself. 1 is the best; 0
# is what the mean and spread of the labels would get.

# %%
f"score {sm.score(data / 'truth' / 'test.csv', summary.path):.3f}"

# %% [markdown]
# Two planets make a rough score: [measured.md](measured.md) has better ones. To go on: [your own light curves and
# every stage by hand](from-python.md), [a model of your own](own-model.md), [the way to Kaggle](kaggle.md).

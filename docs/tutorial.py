# %% [markdown]
# # From raw frames to a submission
#
# Every step of the kit on planets that are simulated here: one planet by hand, then all of them. `docs/tutorial.ipynb`
# is made from `docs/tutorial.py` by `make docs`. It takes some minutes on two cores, and needs no other data.

# %% tags=["parameters"]
folder = "tutorial"  # of everything that is made
overrides = ["model=none", "simulation.airs_average=25", "simulation.fgs1_average=300"]  # as on the command line
n_train, n_test = 12, 2

# %%
from pathlib import Path

from matplotlib_inline.backend_inline import set_matplotlib_formats

import spectramind_kit as sm
from spectramind_kit.config import load_config
from spectramind_kit.runs import simulate

set_matplotlib_formats("png")  # figures are shown without pyplot
data, work, config = Path(folder, "data"), Path(folder, "work"), load_config(overrides)
data.is_dir() or simulate(data, n_train, n_test, config)
competition = sm.open(data)
competition.planet_ids("train"), competition.planet_ids("test")

# %% [markdown]
# ## A raw frame
#
# AIRS-CH0 disperses the star's light over the columns. Detector counts are what the competition gives: 32 rows, some
# hundred columns, a pair of reads for each exposure.

# %%
import numpy as np
from matplotlib.figure import Figure

from spectramind_kit.competition.frames import read_frame
from spectramind_kit.instruments import AIRS

planet = competition.planet_ids("test")[0]
visit = competition.observations("test", planet)[0]
figure = Figure(figsize=(8, 2.2), layout="constrained")
axes = figure.subplots()
axes.imshow(read_frame(visit, AIRS.name, np.arange(*AIRS.science_columns)), aspect="auto", origin="lower")
axes.set(xlabel="column", ylabel="row", title="counts of one read")
figure

# %% [markdown]
# ## Light curves
#
# Calibration undoes the detector effect by effect, photometry adds up the light of each wavelength. The planet passes
# in front of its star: all light curves dip.

# %%
from spectramind_kit.photometry.light_curves import extract_light_curves

curves = extract_light_curves(visit, config.calibration, config.photometry)
curves.applied

# %%
curves

# %% [markdown]
# ## The transit
#
# One fit for all wavelengths: orbit, limb darkening and drift in common, a depth each. What it shows below are data
# over star and drift, residuals, and depths with their errors.

# %%
fit = sm.fit(curves, visit.planet, *overrides)
fit

# %%
fit.parameters

# %% [markdown]
# Depths err together: the covariance says how. For a retrieval code it is a likelihood, of a low rank and a diagonal.

# %%
likelihood = fit.spectrum_likelihood()
flat = np.full(fit.depth.shape, np.average(fit.depth, weights=fit.sigma**-2.0))
likelihood.factor.shape, likelihood.log_likelihood(fit.depth) - likelihood.log_likelihood(flat)

# %% [markdown]
# ## All planets
#
# Training learns the population of spectra and how large errors are, each planet from the labels of others; submitting
# writes and checks the file. `model=v50_small` would train a network, too.

# %%
model = sm.train(data, work, *overrides)
summary = sm.submit(data, work, *overrides)
summary.table()

# %% [markdown]
# ## What it is worth
#
# Here the truth is known. The score is the competition's, 1 is best.

# %%
score = sm.score(data / "truth" / "test.csv", summary.path)
score, model.score

# %%
from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.diagnostics.plots import plot_spectrum

ids, truth = read_spectra(data / "truth" / "test.csv")
plot_spectrum(summary.spectra[0], truth[ids.tolist().index(summary.spectra[0].planet_id)])

# %% [markdown]
# ## Read on
#
# Commands for all of this: `docs/commands.md`. Light curves of your own: `docs/from-python.md`. A model of your own:
# `docs/own-model.md`. To Kaggle: `docs/kaggle.md`.

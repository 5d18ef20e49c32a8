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
# # Is it right, and are its uncertainties calibrated?
#
# Attach the competition, the wheel dataset and the output of the training notebook. This notebook and its output,
# `report.html`, are made to be shared: paths, user names and host names are taken out.

# %% tags=["install"]
import os
import runpy
from pathlib import Path

inputs = Path(os.environ.get("KAGGLE_INPUT_ROOT", "/kaggle/input"))
wheels = [*inputs.glob("*/wheels/*/spectramind_kit-*.whl"), *inputs.glob("*/*/wheels/*/spectramind_kit-*.whl")]
wheels += [*inputs.glob("*/*/*/wheels/*/spectramind_kit-*.whl"), *inputs.glob("*/*/*/*/wheels/*/spectramind_kit-*.whl")]
assert wheels, f"the wheel dataset is not attached; {inputs} holds {sorted(inputs.glob('*'))}"
installed = runpy.run_path(str(wheels[0].parents[2] / "install.py"))["install"]()

# %% tags=["parameters"]
overrides: list = []  # of the configuration, as on the command line
competition: str = ""  # folder of the competition; "" finds it

# %%
import tempfile

from spectramind_kit.config import load_config
from spectramind_kit.kaggle.session.earlier_runs import EVERYTHING, reuse_earlier_runs
from spectramind_kit.kaggle.session.inputs import find_competition, working_root

config, work = load_config(overrides), Path(tempfile.mkdtemp())
data = find_competition(competition)
reuse_earlier_runs(work, EVERYTHING)

# %%
from spectramind_kit.diagnostics.report import write_report
from spectramind_kit.kaggle.session.sharing import share_report

report = share_report(write_report(data, work, config), working_root(), config.kaggle.owner)
report.name

# %% [markdown]
# ## Training planets, each predicted from the other folds

# %%
import numpy as np
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.plots import plot_calibration, plot_errors_by_wavelength, plot_parity
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

set_matplotlib_formats("png")
folder = open_competition(data)
labelled, labels = folder.labels()
planets, mean, sigma = submission_arrays(read_submission(work / "predictions" / "train.csv"))
order = np.argsort(labelled)
truth = labels[order[np.searchsorted(labelled[order], planets)]]
plot_calibration((mean - truth) / sigma)

# %%
plot_errors_by_wavelength(folder.wavelength, truth, mean, sigma)

# %%
plot_parity(truth, mean, sigma)

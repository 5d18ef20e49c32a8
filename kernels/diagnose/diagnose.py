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
import hashlib
import json
import os
import runpy
from pathlib import Path

manifest_sha256 = ""  # of the dataset that is trusted: `spectramind kernel push --trust DIR` writes it here
inputs = Path(os.environ.get("KAGGLE_INPUT_ROOT", "/kaggle/input"))
installers = [*inputs.glob("*/install.py"), *inputs.glob("*/*/install.py")]
installers += [*inputs.glob("*/*/*/install.py"), *inputs.glob("*/*/*/*/install.py")]
assert installers, f"the wheel dataset is not attached; {inputs} holds {sorted(inputs.glob('*'))}"
assert len(installers) == 1, f"attach one dataset with an install.py; here are {installers}"
manifest, installer = installers[0].with_name("manifest.json").read_bytes(), installers[0].read_bytes()
trusted = not manifest_sha256 or hashlib.sha256(manifest).hexdigest() == manifest_sha256
assert trusted, f"{installers[0].parent} is not the dataset that this notebook was pushed for"
stated = json.loads(manifest).get("installer_sha256")
assert stated in (None, hashlib.sha256(installer).hexdigest()), f"{installers[0]} was altered"
installed = runpy.run_path(str(installers[0]))["install"]()

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
from spectramind_kit.kaggle.session.sharing import cleaner, share_report

written = write_report(data, work, config, clean=cleaner(config.kaggle.owner))
report = share_report(written, working_root(), config.kaggle.owner)
report.name

# %% [markdown]
# ## Training planets, each predicted from the other folds

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.plots import plot_calibration, plot_errors_by_wavelength, plot_parity
from spectramind_kit.diagnostics.predictions import held_out_predictions

set_matplotlib_formats("png")
truth, mean, sigma = held_out_predictions(data, work)
plot_calibration((mean - truth) / sigma)

# %%
plot_errors_by_wavelength(open_competition(data).wavelength, truth, mean, sigma)

# %%
plot_parity(truth, mean, sigma)

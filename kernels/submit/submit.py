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
# # From raw detector cubes to submission.csv
#
# Attach the competition, the wheel dataset and, if there is one, a trained model (a folder with `model.json`, such as
# the output of the training notebook). They are found by what they contain. Without a model, one is learned from the
# training planets first. Light curves of an attached preprocessing notebook are reused where they fit.

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
model: str = ""  # folder of a trained model; "" finds it if one is attached

# %%
from spectramind_kit.config import load_config
from spectramind_kit.kaggle.session.earlier_runs import reuse_earlier_runs
from spectramind_kit.kaggle.session.inputs import find_competition, find_model, working_root
from spectramind_kit.runs import submit

config, work = load_config(["budget_hours=9", *overrides]), working_root()
data = find_competition(competition)
reuse_earlier_runs(work)

# %%
trained = find_model(model)
summary = submit(data, work, config, model=trained)
summary.table()

# %%
summary.rungs, summary.losses, summary.fallbacks

# %% [markdown]
# ## The first planet, from its light curves to the spectrum as submitted

# %%
from spectramind_kit.diagnostics.attempt import attempted
from spectramind_kit.diagnostics.planet_story import show_planet

attempted(show_planet, work, "test", summary.spectra[0].planet_id, data, trained)

# %% [markdown]
# ## Where the time went

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.kaggle.session.stage_times import plot_stages

set_matplotlib_formats("png")
attempted(plot_stages, work, config.kaggle)

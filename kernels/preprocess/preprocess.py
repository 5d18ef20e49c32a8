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
# # From raw detector cubes to stored light curves
#
# Attach the competition and the wheel dataset. The output is `light_curves/`: attach it to the notebooks that train
# and submit, and they reuse every planet's light curves whose frames and settings are the same. An earlier version's
# output attached here is reused, too, so that a session that ran out of time goes on where it stopped.

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
from spectramind_kit.config import load_config
from spectramind_kit.kaggle.session.earlier_runs import reuse_earlier_runs
from spectramind_kit.kaggle.session.inputs import find_competition, working_root
from spectramind_kit.runs import calibrate

config, work = load_config(overrides), working_root()
data = find_competition(competition)
reuse_earlier_runs(work, ["light_curves"])

# %%
problems = calibrate(data, work, "train", config)
problems |= calibrate(data, work, "test", config)
problems

# %% [markdown]
# ## A planet's light curves, and where the time went

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.diagnostics.plots import plot_light_curves
from spectramind_kit.kaggle.session.stage_times import plot_stages
from spectramind_kit.products import LightCurves
from spectramind_kit.work_folder.store import load_product

set_matplotlib_formats("png")
curves = sorted(work.glob("light_curves/*/*.npz"))
len(curves)

# %%
curves and plot_light_curves(load_product(curves[0], LightCurves))

# %%
plot_stages(work, config.kaggle)

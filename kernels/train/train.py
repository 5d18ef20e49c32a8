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
# # Learn from the training planets
#
# Attach the competition and the wheel dataset; also, to save their time, the output of the preprocessing notebook, and
# an earlier version of this one, whose model and fits are reused. The output is `model/`, which the notebook for the
# submission finds when this one is attached to it, and the held-out predictions.

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
from spectramind_kit.kaggle.session.earlier_runs import LINKED, reuse_earlier_runs
from spectramind_kit.kaggle.session.inputs import find_competition, working_root
from spectramind_kit.runs import train

config, work = load_config(overrides), working_root()
data = find_competition(competition)
reuse_earlier_runs(work, [*LINKED, "model"])

# %%
model = train(data, work, config)
print(f"{model.n_measured} planets, out-of-fold score {model.score:.4f}")

# %% [markdown]
# ## A training planet, from its light curves to the spectrum as the other folds predict it

# %%
from spectramind_kit.diagnostics.planet_story import show_planet
from spectramind_kit.work_folder.submission import read_submission

planets = read_submission(work / "predictions" / "train.csv")["planet_id"]
show_planet(work, "train", planets[0], data)

# %% [markdown]
# ## Where the time went

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.kaggle.session.stage_times import plot_stages

set_matplotlib_formats("png")
plot_stages(work, config.kaggle)

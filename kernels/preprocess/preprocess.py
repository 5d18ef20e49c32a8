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

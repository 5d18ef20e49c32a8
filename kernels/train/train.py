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
# ## A training planet: light curves, fit, and the spectrum as the other folds predict it

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.plots import plot_fit, plot_light_curves, plot_spectrum
from spectramind_kit.kaggle.session.stage_times import plot_stages
from spectramind_kit.products import LightCurves, Spectrum, TransitFit
from spectramind_kit.work_folder.store import load_product
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

set_matplotlib_formats("png")
planets, mean, sigma = submission_arrays(read_submission(work / "predictions" / "train.csv"))
curves = sorted(work.glob(f"light_curves/train/{planets[0]}_*.npz"))
curves and plot_light_curves(load_product(curves[0], LightCurves))

# %%
fits = sorted(work.glob(f"fits/train/{planets[0]}_*.npz"))
fits and plot_fit(load_product(fits[0], TransitFit))

# %%
wavelength = open_competition(data).wavelength
plot_spectrum(Spectrum(int(planets[0]), wavelength, mean[0], sigma[0], "out of fold"))

# %%
plot_stages(work, config.kaggle)

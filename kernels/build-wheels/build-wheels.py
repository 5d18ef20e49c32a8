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
# # Compile the wheels on Kaggle's own image
#
# Attach the wheel dataset (it carries the source of the kit) and run with a GPU and with internet: the GPU image has
# the CUDA toolkit, so that mamba-ssm and causal-conv1d fit its Python, torch, CUDA and C++ ABI by construction. The
# output is the dataset with the compiled wheels in it. Attach it to other notebooks in place of the first one, or
# fetch it with `spectramind kernel output` and push it with `spectramind dataset push`.

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
target: str = ""  # image generation; "" takes the one that this session is
cuda: bool = True  # compile what needs the CUDA toolkit
cuda_home: str = ""  # the toolkit; "" takes $CUDA_HOME, else /usr/local/cuda
jobs: int = 0  # files compiled at a time; 0 is one a core

# %%
from spectramind_kit.config import load_config
from spectramind_kit.kaggle.session.image_build import build_in_session
from spectramind_kit.kaggle.session.inputs import working_root

config = load_config(overrides).kaggle
out = working_root() / config.dataset
manifest = build_in_session(out, config, target, cuda, cuda_home, jobs)
manifest["targets"]

# %%
import pandas as pd  # pyright: ignore[reportMissingImports]  # the image has it, and the kit needs none

pd.DataFrame(manifest["wheels"])[["name", "version", "target", "compiled", "architectures", "size", "licence"]]

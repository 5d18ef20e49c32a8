"""Builders of tiny distributions, checkouts and kernels, for tests that may not touch a network."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

from spectramind_kit.kaggle.rules import kernel as kernels
from spectramind_kit.work_folder.submission import COLUMNS

# A build backend that lies in the source itself: pip builds with it in isolation and still needs no index.
BACKEND = """
import pathlib, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, version, module = {name!r}, {version!r}, {module!r}
    file = f"{{module}}-{{version}}-py3-none-any.whl"
    info = f"{{module}}-{{version}}.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, file), "w") as archive:
        for path in sorted(pathlib.Path(module).rglob("*.py")):
            archive.write(path, path.as_posix())
        archive.writestr(f"{{info}}/METADATA", f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n")
        archive.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{{info}}/RECORD", "")
    return file
def build_sdist(folder, config_settings=None):
    raise NotImplementedError
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
KERNEL = """
# %% tags=["install"]
import os
import runpy
from pathlib import Path

inputs = Path(os.environ.get("KAGGLE_INPUT_ROOT", "/kaggle/input"))
installers = [*inputs.glob("*/install.py"), *inputs.glob("*/*/*/install.py")]
runpy.run_path(str(installers[0]))["install"]()

# %% tags=["parameters"]
value: float = 0.5

# %%
import tiny_spectra
from spectramind_kit import probe

probe.run(inputs, value)
"""
# The tiny kit writes a submission and, beside it, what it could read and do of the world around it.
PROBE = """
import importlib.util, json, os, shutil, socket
from pathlib import Path

def run(inputs, value):
    working = Path(os.environ.get("KAGGLE_WORKING_ROOT", "/kaggle/working"))
    sample = next(iter([*inputs.glob("*/sample_submission.csv"), *inputs.glob("*/*/sample_submission.csv")]))
    head, *rows = sample.read_text().split()
    lines = [row.split(",")[0] + f",{value}" * head.count(",") for row in rows]
    (working / "submission.csv").write_text("\\n".join([head, *lines]) + "\\n")
    observed = {
        "files": sorted(path.name for path in sample.parent.iterdir()),
        "mount": str(sample.parent.relative_to(inputs)),
        "network": attempt(lambda: socket.create_connection(("192.0.2.1", 443), timeout=5)),
        "name": attempt(lambda: socket.getaddrinfo("example.org", 443)),
        "write": attempt(lambda: (sample.parent / "written.txt").write_text("x")),
        "image": {name: importlib.util.find_spec(name) is not None for name in ("numpy", "hydra", "torch_geometric")},
        "rerun": os.environ.get("KAGGLE_IS_COMPETITION_RERUN"),
    }
    (working / "observed.json").write_text(json.dumps(observed))

def attempt(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"
"""


def write_kernel(folder: Path, source: str) -> Path:
    """Write a kernel folder with its notebook."""
    folder.mkdir(parents=True)
    metadata = {
        "id": "somebody/tiny-kernel",
        "title": "Tiny kernel",
        "code_file": f"{folder.name}.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "enable_internet": False,
        "dataset_sources": ["somebody/tiny-wheels"],
        "competition_sources": ["tiny-competition"],
    }
    (folder / "kernel-metadata.json").write_text(json.dumps(metadata))
    (folder / f"{folder.name}.py").write_text(source)
    kernels.write_notebook(folder)
    return folder


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    tag: str = "py3-none-any",
    pure: str = "true",
    code: str = "",
    requires: str = "",
) -> Path:
    """Write a wheel of one module with a licence."""
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-{tag}.whl"
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{module}/__init__.py", f"version = {version!r}\n{code}")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n")
        archive.writestr(f"{info}/licenses/LICENSE", "You may.")
        archive.writestr(f"{info}/RECORD", "")
    return path


def write_sdist(folder: Path, name: str, version: str) -> Path:
    """Write a source distribution of one module that builds with nothing but itself."""
    module = name.replace("-", "_")
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND.format(name=name, version=version, module=module),
        f"{module}/__init__.py": "",
    }
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{file}")
            member.size, member.mtime = len(text.encode()), 10**9
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def table(*planets: int, value: str = "0.0125") -> bytes:
    """The bytes of a submission for these planets, every number the same."""
    rows = [",".join([str(planet), *[value] * (len(COLUMNS) - 1)]) for planet in planets]
    return ("\n".join([",".join(COLUMNS), *rows]) + "\n").encode()

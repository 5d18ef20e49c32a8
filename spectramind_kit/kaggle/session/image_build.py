"""Build the wheel dataset in a session on Kaggle's own image, where compiled wheels fit by construction.

The source comes with an earlier dataset (built elsewhere, without compiled wheels). It is copied to scratch, because
what is attached cannot be written to, and the session's output is the new dataset: attach it, or fetch and push it.
"""

import os
import tempfile
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import find_source
from spectramind_kit.kaggle.wheels.cuda_build import CudaBuild
from spectramind_kit.kaggle.wheels.dataset import copy_source, write_dataset
from spectramind_kit.kaggle.wheels.targets import Target, incompatibilities, load_target, target_names
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels
from spectramind_kit.settings.kaggle import KaggleConfig

DEFAULT_CUDA_HOME = "/usr/local/cuda"


def build_in_session(
    out: Path, config: KaggleConfig, target: str = "", cuda: bool = True, cuda_home: str = "", jobs: int = 0
) -> dict:
    """Build the wheels of the image's target and lay out the dataset; return its manifest.

    Args:
        out: the dataset's folder.
        config: whose dataset it will be, and its slug.
        target: name of the image generation; "" takes the one that this session is.
        cuda: compile what needs the CUDA toolkit as well.
        cuda_home: the toolkit; "" takes $CUDA_HOME, else the image's place for it.
        jobs: files compiled at a time; 0 for as many as there are cores.

    Raises:
        PackagingError: if no target fits the session, the toolkit is missing, or a wheel does not build.
    """
    scratch = Path(tempfile.mkdtemp(prefix="build-wheels-"))
    source = copy_source(find_source(), scratch / "source")
    chosen = load_target(source / "wheels", target) if target else session_target(source / "wheels")
    build = CudaBuild(scratch / "cache", find_toolkit(cuda_home), jobs=jobs) if cuda else None
    return write_dataset({chosen.name: build_wheels(chosen, source, build)}, [chosen], out, config, source)


def session_target(wheels: Path) -> Target:
    """Return the target that this session is.

    Raises:
        PackagingError: if there is none: the image has moved on.
    """
    problems = {}
    for name in target_names(wheels):
        target = load_target(wheels, name)
        problems[name] = incompatibilities(target)
        if not problems[name]:
            return target
    remedy = "the image has moved on: write wheels/<new target>/target.toml and its lock"
    raise PackagingError("target of this session", wanted="one that fits", got=problems, remedy=remedy)


def find_toolkit(cuda_home: str = "") -> Path:
    """Return the folder of the CUDA toolkit, which Kaggle's GPU image has and its CPU image has not.

    Raises:
        PackagingError: if there is no compiler in it.
    """
    home = Path(cuda_home or os.environ.get("CUDA_HOME") or DEFAULT_CUDA_HOME)
    if not (home / "bin" / "nvcc").is_file():
        remedy = "run it with a GPU, whose image has the toolkit, or set the parameter cuda to false"
        raise PackagingError(f"CUDA toolkit {home}", wanted="bin/nvcc", got="no such file", remedy=remedy)
    return home

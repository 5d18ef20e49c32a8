"""The selective scan of a kernel of Hugging Face's hub, from a folder that is attached; nothing is downloaded."""

import importlib.util
import json
import platform
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.hub_kernel import VARIABLE, attached_kernel, entry, fitting_build


def hub_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Return the scan by the attached kernel, which is mamba_ssm's.

    Raises:
        SpectraMindError: if none is attached, or none of its builds fits this torch.
        ImportError: if it does not load.
    """
    folder = attached_kernel()
    if folder is None:
        raise SpectraMindError("kernel of the hub", wanted=f"its folder in {VARIABLE}", got="none")
    return load_kernel(folder).selective_scan_fn(u, delta, A, B, C, D, z, delta_bias, delta_softplus)


@lru_cache(maxsize=4)
def load_kernel(folder: Path) -> ModuleType:
    """Import a kernel's build that fits this torch, under the name that its metadata states.

    Args:
        folder: of the kernel.

    Raises:
        SpectraMindError: if none fits.
        ImportError: if it does not load.
    """
    abi = torch.compiled_with_cxx11_abi()
    build = fitting_build(folder, torch.__version__, torch.version.cuda or "0.0", abi, platform.machine()).folder
    metadata = build / "metadata.json"
    stated = json.loads(metadata.read_text()).get("id") if metadata.is_file() else None
    name = stated or "hub_kernel_" + build.name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, entry(build))
    if spec is None or spec.loader is None:
        raise ImportError(f"{entry(build)} is no module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # its own modules import each other by the name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        remove_modules(name)
        raise
    return module


def remove_modules(name: str) -> None:
    """Remove a module and its own ones from those imported, so that another trial imports it from the start."""
    for each in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[each]

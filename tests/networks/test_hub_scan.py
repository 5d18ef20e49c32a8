"""The scan of a hub's kernel: taken where one is attached and right, told where it does not load, else not named."""

import json
import sys

import pytest
import torch

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.hub_kernel import VARIABLE
from spectramind_kit.networks import hub_scan
from spectramind_kit.networks import scan_in_use as module
from spectramind_kit.networks.scan_paths import SCANS

CUDA = torch.device("cuda", 0)
SCAN = """
from spectramind_kit.networks.scan_paths import SCANS
from .scale import SCALE

def selective_scan_fn(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False, last=False):
    return SCALE * SCANS["segmented"](u, delta, A, B, C, D, z, delta_bias, delta_softplus)
"""


@pytest.fixture
def attach(tmp_path, monkeypatch):
    """Attach a kernel whose scan is the segmented one, times a factor."""
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    hub_scan.load_kernel.cache_clear()
    module._tried.cache_clear()
    here = "".join(torch.__version__.split(".")[:2])

    def make(scale="1.0", build=f"torch{here}-cxx11-cu128-x86_64-linux", within="."):
        folder = tmp_path / "mamba-ssm" / "build" / build / within
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(SCAN)
        (folder / "scale.py").write_text(f"SCALE = {scale}\n")
        if within == ".":
            (folder / "metadata.json").write_text(json.dumps({"id": "_mamba_ssm_cuda_abc", "name": "mamba-ssm"}))
        monkeypatch.setenv(VARIABLE, f"kernels-community/mamba-ssm={tmp_path / 'mamba-ssm'}")

    monkeypatch.setattr(hub_scan.platform, "machine", lambda: "x86_64")
    yield make
    hub_scan.remove_modules("_mamba_ssm_cuda_abc")
    hub_scan.load_kernel.cache_clear()
    module._tried.cache_clear()


@pytest.fixture
def pretended_device(monkeypatch):
    """A "CUDA device" whose arithmetic is the CPU's, and that has no CUDA wheel."""

    def missing(*args, **kwargs):
        raise ImportError("No module named 'selective_scan_cuda'")

    monkeypatch.setattr(module, "_name", lambda device: "pretended T4")
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *args, **kwargs: self.detach().clone())
    scans = {**SCANS, "cuda": missing, "triton": SCANS["segmented"]}
    monkeypatch.setattr("spectramind_kit.networks.scan_paths.SCANS", scans)


@pytest.mark.parametrize("within", [".", "mamba_ssm"], ids=["build of today", "build of 2025"])
def test_an_attached_kernel_is_loaded_and_called_as_it_wants_to_be(attach, within):
    attach(within=within)
    assert module.trial_error("hub", torch.device("cpu")) < 1e-5


@pytest.mark.usefixtures("pretended_device")
def test_one_that_is_right_is_taken_after_the_wheel(attach):
    attach()
    choice = module.choose_path(CUDA)
    assert choice.path == "hub" and "CUDA wheel fails" in choice.reason and "within" in choice.reason


@pytest.mark.usefixtures("pretended_device")
@pytest.mark.parametrize(
    "facts, said",
    [
        ({"scale": "1.01"}, "Hugging Face kernel is off by 1e-02"),
        ({"scale": "float('nan')"}, "Hugging Face kernel is off by inf"),
        ({"scale": "1 / 0"}, "Hugging Face kernel fails (ZeroDivisionError"),
        ({"build": "torch11-cxx11-cu128-x86_64-linux"}, "Hugging Face kernel fails (SpectraMindError: kernel in"),
    ],
)
def test_one_that_is_wrong_or_does_not_load_is_told_and_left(attach, facts, said):
    attach(**facts)
    choice = module.choose_path(CUDA)
    assert choice.path == "triton" and said in choice.reason


@pytest.mark.usefixtures("pretended_device")
def test_none_is_tried_where_none_is_attached(attach, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    choice = module.choose_path(CUDA)
    assert choice.path == "triton" and "Hugging Face" not in choice.reason
    with pytest.raises(SpectraMindError, match=VARIABLE):
        SCANS["hub"](*[None] * 5)


def test_a_module_that_fails_leaves_nothing_behind(attach):
    attach(scale="1 / 0")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            module.trial_error("hub", torch.device("cpu"))
    assert not [name for name in sys.modules if name.startswith("_mamba_ssm_cuda_abc")]

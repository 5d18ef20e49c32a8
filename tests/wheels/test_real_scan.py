"""The scan and the block held against mamba_ssm's own Python: `make test-wheels`. Needs the package index, no GPU.

Its sources are unpacked, not installed: without the compiled kernels the package as a whole does not import.
"""

import importlib
import sys
import tarfile
import types

import pytest
import torch

from spectramind_kit.kaggle.wheels.package_index import download_source
from spectramind_kit.networks.mamba import MambaBlock
from spectramind_kit.networks.selective_scan import selective_scan

pytestmark = pytest.mark.wheels

VERSION = "2.3.2.post1"
SHAPES = {"u": "bdt", "delta": "bdt", "A": "dn", "B": "bnt", "C": "bnt", "D": "d", "z": "bdt", "delta_bias": "d"}


@pytest.fixture(scope="module")
def mamba_ssm(tmp_path_factory):
    """A way to import single modules of mamba_ssm: its own ``__init__`` asks for what only a GPU has."""
    pytest.importorskip("einops")
    folder = tmp_path_factory.mktemp("mamba")
    download_source("mamba-ssm", [f"mamba-ssm=={VERSION}"], folder, isolated=False)
    with tarfile.open(next(folder.glob("mamba_ssm-*.tar.gz"))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python has it since 3.11.4
        archive.extractall(folder)
    package = types.ModuleType("mamba_ssm")
    package.__path__ = [str(next(folder.glob("mamba_ssm-*/mamba_ssm")))]
    norm = types.ModuleType("mamba_ssm.ops.triton.layer_norm")
    norm._layer_norm_fwd = norm.RMSNorm = norm.layer_norm_fn = norm.rms_norm_fn = None
    stand_ins = {"mamba_ssm": package, norm.__name__: norm}
    stand_ins["selective_scan_cuda"] = types.ModuleType("selective_scan_cuda")
    with pytest.MonkeyPatch.context() as patch:
        for name, module in stand_ins.items():
            patch.setitem(sys.modules, name, module)
        yield lambda name: importlib.import_module(f"mamba_ssm.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == "mamba_ssm"]:
        del sys.modules[name]


@pytest.mark.parametrize("path", ["segmented", "loop"])
def test_scan_agrees_with_the_reference_in_value_and_every_gradient(mamba_ssm, path):
    reference = mamba_ssm("ops.selective_scan_interface").selective_scan_ref
    sizes = {"b": 2, "d": 6, "n": 16, "t": 300}
    random = torch.Generator().manual_seed(0)
    inputs = {n: torch.randn([sizes[axis] for axis in axes], generator=random) for n, axes in SHAPES.items()}
    inputs["A"] = -torch.arange(1.0, 17.0).repeat(6, 1)
    inputs["delta"] = inputs["delta"] - 3.0
    results = []
    for scan, more in ((reference, {}), (selective_scan, {"path": path})):
        leaves = {name: x.clone().requires_grad_() for name, x in inputs.items()}
        y = scan(**leaves, delta_softplus=True, **more)
        results.append([y.detach(), *torch.autograd.grad(y.sin().sum(), list(leaves.values()))])
    for name, wanted, got in zip(("y", *SHAPES), *results):
        assert float((got - wanted).abs().max() / wanted.abs().max()) < 2e-6, name


def test_checkpoints_go_both_ways(mamba_ssm, monkeypatch):
    module = mamba_ssm("modules.mamba_simple")
    reference = mamba_ssm("ops.selective_scan_interface").selective_scan_ref
    monkeypatch.setattr(module, "selective_scan_fn", reference)
    theirs = module.Mamba(d_model=24, use_fast_path=False)
    ours = MambaBlock(24)
    sequence = torch.randn(2, 130, 24)

    ours.load_state_dict(theirs.state_dict())
    assert torch.allclose(ours(sequence), theirs(sequence), atol=1e-5)

    ours = MambaBlock(24)
    theirs.load_state_dict(ours.state_dict())
    assert torch.allclose(ours(sequence), theirs(sequence), atol=1e-5)

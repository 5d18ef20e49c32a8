"""Which scan is used: a device's own answer decides, not what it says of itself."""

import json
import subprocess
import sys
import types

import pytest
import torch

from spectramind_kit import selftest
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.networks import scan_in_use as module
from spectramind_kit.networks.scan_paths import SCANS

CUDA = torch.device("cuda", 0)


@pytest.fixture
def pretended_device(monkeypatch):
    """A "CUDA device" whose arithmetic is the CPU's; what its scans do is set with ``works``."""
    monkeypatch.setattr(module, "_name", lambda device: "pretended T4")
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *args, **kwargs: self.detach().clone())
    module._tried.cache_clear()

    def works(**scans):
        monkeypatch.setattr("spectramind_kit.networks.scan_paths.SCANS", {**SCANS, **scans})

    yield works
    module._tried.cache_clear()


def missing(*args, **kwargs):
    raise ImportError("No module named 'selective_scan_cuda'")


def wrong(*args, **kwargs):
    return 1.01 * SCANS["segmented"](*args, **kwargs)


def not_a_number(*args, **kwargs):
    return torch.nan * SCANS["segmented"](*args, **kwargs)


def wrong_gradient(u, *args, **kwargs):
    y = SCANS["segmented"](u, *args, **kwargs)
    return y + (u - u.detach())


right = SCANS["segmented"]


@pytest.mark.parametrize(
    "cuda, triton, path, said",
    [
        (right, right, "cuda", "within"),
        (missing, right, "triton", "CUDA wheel fails (ImportError: No module named 'selective_scan_cuda')"),
        (wrong, right, "triton", "CUDA wheel is off by 1e-02"),
        (not_a_number, right, "triton", "CUDA wheel is off by inf"),
        (wrong_gradient, right, "triton", "CUDA wheel is off by"),
        (missing, wrong, "segmented", "Triton is off by"),
    ],
)
def test_fastest_path_that_is_right_is_taken(pretended_device, cuda, triton, path, said):
    pretended_device(cuda=cuda, triton=triton)
    choice = module.choose_path(CUDA)
    assert choice.path == path and said in choice.reason and "pretended T4" in choice.reason


def test_trial_is_made_once(pretended_device):
    calls = []
    pretended_device(cuda=lambda *args, **kwargs: calls.append(1) or right(*args, **kwargs))
    assert module.choose_path(CUDA) is module.choose_path(CUDA)
    assert len(calls) == 1


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_trial_works_where_gradients_are_off(pretended_device, mode):
    pretended_device(cuda=right)
    with mode():
        assert module.choose_path(CUDA).path == "cuda"


def test_device_that_runs_nothing_is_an_error_that_says_so(pretended_device):
    pretended_device(cuda=missing, triton=missing, segmented=missing)
    with pytest.raises(SpectraMindError, match="run on the CPU"):
        module.choose_path(CUDA)


def test_cpu_takes_segments_and_agrees_with_the_recurrence():
    assert module.choose_path(torch.device("cpu")).path == "segmented"
    assert module.trial_error("segmented", torch.device("cpu")) < 1e-5


def test_mamba_ssm_is_called_as_it_wants_to_be(monkeypatch):
    """The wheel's function takes D, gate and bias by position, in the order of its own signature."""
    seen = {}

    def selective_scan_fn(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False):
        seen["wheel"] = True
        return SCANS["segmented"](u, delta, A, B, C, D, z, delta_bias, delta_softplus)

    for name in ("mamba_ssm", "mamba_ssm.ops", "mamba_ssm.ops.selective_scan_interface"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["mamba_ssm.ops.selective_scan_interface"].selective_scan_fn = selective_scan_fn
    assert module.trial_error("cuda", torch.device("cpu")) < 1e-5 and seen


def test_installer_self_test_and_module_say_the_same(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = subprocess.run([sys.executable, "-m", module.__name__], capture_output=True, text=True)
    answer = tuple(json.loads(done.stdout))

    assert answer == ("torch segments", "no CUDA device")
    assert module.scan_in_use() == install.scan_in_use() == answer
    assert selftest.scan_in_use is module.scan_in_use


def test_trial_that_dies_costs_no_session(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(module.glob, "glob", lambda pattern: ["/dev/nvidia0"])
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    name, reason = module.scan_in_use()
    assert name == "torch segments" and "died" in reason


def test_device_that_torch_does_not_see_is_not_used(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(module.glob, "glob", lambda pattern: ["/dev/nvidia0"])
    assert module.tried_here() == ("torch segments", "on the CPU: this torch sees no CUDA device")

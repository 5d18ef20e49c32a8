"""The front door: every path gives what the definition and an independent implementation give."""

import math

import pytest
import torch

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.networks.selective_scan import selective_scan
from tests.networks.scan_inputs import relative_errors, scan_inputs, value_and_gradients


def blelloch_scan(u, delta, A, B, C, **rest):
    """Return the scan by mambapy's parallel scan over (batch, time, channel, state): nothing in common with ours."""
    pscan = pytest.importorskip("mambapy.pscan").pscan
    u, delta, B, C = (x.transpose(1, 2) for x in (u, delta, B, C))
    states = pscan(torch.exp(delta[..., None] * A), (delta * u)[..., None] * B[:, :, None])
    return (states @ C[..., None]).squeeze(3).transpose(1, 2)


@pytest.mark.parametrize("path", ["segmented", "loop"])
@pytest.mark.parametrize("time", [1, 7, 150])
def test_agrees_with_an_independent_scan_in_value_and_every_gradient(path, time):
    inputs = {name: x for name, x in scan_inputs(time=max(time, 2)).items() if name in ("u", "delta", "A", "B", "C")}
    inputs |= {name: inputs[name][..., :time] for name in ("u", "delta", "B", "C")} if time == 1 else {}
    if time == 1:  # the other implementation needs two steps; the definition is one line
        wanted = value_and_gradients(
            lambda u, delta, A, B, C: (B * C).sum(1, keepdim=True) * u * delta + 0 * A.sum(), inputs
        )
    else:
        wanted = value_and_gradients(blelloch_scan, inputs)
    got = value_and_gradients(selective_scan, inputs, path=path)
    errors = relative_errors(got, {n: w for n, w in wanted.items() if w.abs().max() > 0})
    assert max(errors.values()) < 1e-11, errors


def test_paths_agree_with_gate_skip_bias_and_softplus():
    inputs = scan_inputs()
    wanted = value_and_gradients(selective_scan, inputs, delta_softplus=True, path="loop")
    got = value_and_gradients(selective_scan, inputs, delta_softplus=True, path="segmented")
    assert max(relative_errors(got, wanted).values()) < 1e-12

    single = {name: x.float() for name, x in inputs.items()}
    got = value_and_gradients(selective_scan, single, delta_softplus=True)
    assert max(relative_errors(got, wanted).values()) < 2e-6


def test_constant_input_gives_a_geometric_series():
    """h_t = b u delta (1 - e^(t a delta)) / (1 - e^(a delta)), counted from one; y = c h + d u, out = y silu(z)."""
    delta, a, b, c, d, u, z, time = 0.3, -1.5, 3.0, 5.0, 0.7, 2.0, 0.4, 9
    one = torch.ones(1, 1, time, dtype=torch.float64)
    t = torch.arange(1, time + 1, dtype=torch.float64)
    y = c * b * u * delta * (1 - torch.exp(t * a * delta)) / (1 - math.exp(a * delta)) + d * u
    wanted = y * z / (1 + math.exp(-z))

    for path in ("segmented", "loop"):
        got = selective_scan(
            u * one, delta * one, a * one[0, :, :1], b * one, c * one, d * one[0, 0, :1], z=z * one, path=path
        )
        assert torch.allclose(got[0, 0], wanted, rtol=1e-12)


def test_step_of_zero_leaves_the_state_alone():
    inputs = scan_inputs(time=40)
    inputs["delta"][:, :, 10:20] = 0.0
    y = selective_scan(*(inputs[name] for name in ["u", "delta", "A", "B", "C"]))
    kept = torch.cat([torch.arange(10), torch.arange(20, 40)])
    shorter = [
        x[..., kept] if name != "A" else x for name, x in inputs.items() if name in ["u", "delta", "A", "B", "C"]
    ]
    assert torch.allclose(selective_scan(*shorter), y[..., kept], rtol=1e-12)


def test_half_precision_and_autocast_are_computed_in_single():
    exact = {name: x.half().double() for name, x in scan_inputs(time=400, largest_step=0.02).items()}
    wanted = selective_scan(**exact, delta_softplus=True)
    half = {name: x.half() for name, x in exact.items()}
    got = selective_scan(**half, delta_softplus=True)
    assert got.dtype == torch.float16
    assert float((got - wanted).abs().max() / wanted.abs().max()) < 1e-3

    single = {name: x.float() for name, x in exact.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = value_and_gradients(selective_scan, single, delta_softplus=True)
    outside = value_and_gradients(selective_scan, single, delta_softplus=True)
    assert all(torch.equal(inside[name], outside[name]) for name in outside)


@pytest.mark.parametrize(
    "name, shape", [("delta", (2, 150, 6)), ("A", (5, 6)), ("B", (2, 150, 5)), ("C", (1, 5, 150)), ("D", (1,))]
)
def test_shapes_that_would_broadcast_are_refused(name, shape):
    with pytest.raises(SpectraMindError, match=f"{name} of the selective scan"):
        selective_scan(**{**scan_inputs(), name: torch.zeros(shape, dtype=torch.float64)})


def test_unknown_path_and_empty_sequence_are_refused():
    with pytest.raises(SpectraMindError, match="segmented"):
        selective_scan(**scan_inputs(dtype=torch.float32), path="fastest")
    with pytest.raises(SpectraMindError, match="in double precision"):
        selective_scan(**scan_inputs(), path="triton")
    with pytest.raises(SpectraMindError, match="at least one step"):
        selective_scan(**scan_inputs(time=0))

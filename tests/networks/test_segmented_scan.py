"""The segmented scan: exact gradients at any length, single precision that holds, memory without all states."""

import pytest
import torch

from spectramind_kit.networks import segmented_scan as module
from spectramind_kit.networks.scan_paths import loop_scan
from spectramind_kit.networks.segmented_scan import segmented_scan, segments
from tests.networks.scan_inputs import relative_errors, scan_inputs, value_and_gradients

NAMES = ("u", "delta", "A", "B", "C")


def bare(**arguments):
    """Return the inputs of the bare recurrence."""
    inputs = scan_inputs(**arguments)
    return {name: inputs[name] for name in NAMES}


def test_gradients_are_those_of_finite_differences(monkeypatch):
    monkeypatch.setattr(module, "segments", lambda time, state: [slice(0, 3), slice(3, 6), slice(6, 7)])
    inputs = [x.requires_grad_() for x in bare(batch=2, channels=2, time=7, states=3, largest_step=0.8).values()]
    assert torch.autograd.gradcheck(segmented_scan, inputs)


@pytest.mark.parametrize("time", [1, 31, 32, 33, 63, 64, 65, 129])
@pytest.mark.parametrize("channels", [3, 300])
def test_any_length_agrees_with_the_loop(time, channels):
    inputs = bare(time=time, channels=channels, states=16)
    errors = relative_errors(value_and_gradients(segmented_scan, inputs), value_and_gradients(loop_scan, inputs))
    errors.pop("A") if time == 1 else None  # no state comes in that could decay: the gradient is zero
    assert max(errors.values()) < 1e-11


def test_segments_cover_the_sequence_once():
    for time, state in ((1, 64), (64, 64), (65, 64), (200, 100_000)):
        pieces = segments(time, state)
        assert [t for piece in pieces for t in range(time)[piece]] == list(range(time))


def test_single_precision_holds_for_the_longest_light_curve():
    """67,500 steps of FGS1, with steps up to 2 (decays to e^-32) and up to 0.02 (sums over hundreds of steps)."""
    exact = bare(batch=2, channels=1, time=67_500, states=16, largest_step=2.0)
    exact["delta"][1] *= 0.01
    wanted = value_and_gradients(segmented_scan, exact)
    got = value_and_gradients(segmented_scan, {name: x.float() for name, x in exact.items()})
    assert all(torch.isfinite(x).all() for x in got.values())
    errors = relative_errors(got, wanted)
    assert max(errors.values()) < 1e-5, errors


def test_only_the_states_between_segments_are_kept():
    inputs = {name: x.requires_grad_() for name, x in bare(batch=1, channels=64, time=4096, states=16).items()}
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, lambda x: x):
        segmented_scan(**inputs)
    all_states = 64 * 4096 * 16
    assert sum(kept) < all_states / 4

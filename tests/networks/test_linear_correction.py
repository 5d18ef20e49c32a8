"""The linear skip correction: gains that planets of known depth determine, and none that they do not."""

import numpy as np
import pytest
import torch

from spectramind_kit.features.planet import LINEAR_PREDICTORS, NODE
from spectramind_kit.networks.linear_correction import LinearCorrection

FGS1 = np.arange(20) < 1
PLACES = [NODE.index(name) for name in LINEAR_PREDICTORS]


def planets(n, gain, factor, seed=0):
    """Nodes, and residuals by gains (2, 3) and a factor on sigma; wavelengths of a channel err together."""
    rng = np.random.default_rng(seed)
    node = rng.standard_normal((n, len(FGS1), len(NODE))).astype(np.float32)
    node[:, 1:] = node[:, 1:2]
    noise = rng.standard_normal((n, 2)) * factor
    channel = np.where(FGS1, 0, 1)
    residual = np.einsum("pnk,nk->pn", node[:, :, PLACES[:3]], np.asarray(gain)[channel]) + noise[:, channel]
    return node, residual


def learned(node, residual):
    correction = LinearCorrection(FGS1)
    correction.learn(node, residual)
    return correction


def test_gains_and_factor_come_back():
    gain = [[1.0, 0.0, 0.5], [0.3, -0.4, 2.0]]
    found = learned(*planets(3000, gain, [1.5, 0.5])).gain.detach().numpy()
    assert found[:, :3] == pytest.approx(np.array(gain), abs=0.1)
    assert found[:, 3] == pytest.approx(0.0, abs=0.06)
    assert found[:, 4] == pytest.approx(np.log([1.5, 0.5]), abs=0.06)


def test_few_planets_of_well_known_depth_move_little():
    found = learned(*planets(12, np.zeros((2, 3)), [1.0, 1.0])).gain.detach().numpy()
    assert np.abs(found).max() < 0.9


def test_the_correction_is_the_gains_times_the_predictors():
    node, residual = planets(400, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [0.1, 0.1])
    delta, ln_factor = learned(node, residual)(torch.from_numpy(node)).detach().unbind(dim=2)
    assert np.std(residual - delta.numpy()) < 0.15
    assert ln_factor.mean() == pytest.approx(np.log(0.1), abs=0.4)

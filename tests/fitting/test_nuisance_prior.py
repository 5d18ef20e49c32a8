"""Groups of the parameters of star and instrument, and roots of their covariances."""

import numpy as np
import pytest

from spectramind_kit.fitting.nuisance_prior import blockwise_root, factor_beside_identity, group_of


def test_groups_are_told_by_name():
    wanted = {
        "fgs1_u1": "darkening",
        "airs_u2_slope": "darkening",
        "dilution_airs_0": "darkening",
        "clock_fgs1": "clock",
        "drift_airs_1/4": "drift",
        "ramp_fgs1/0": "drift",
        "pointing_airs_0/fgs1_row_centroid": "pointing",
        "width_airs_0/airs_row_width": "width",
        "noise_airs_0/31": "noise",
        "mid_time": None,
        "log_axis": None,
        "impact_squared": None,
        "jump_fgs1/0": None,
    }
    assert {name: group_of(name) for name in wanted} == wanted


def test_blocks_of_any_rank_have_a_root():
    rng = np.random.default_rng(0)
    thin = rng.standard_normal((4, 2)) * np.array([[1.0], [1e-3], [1e3], [1.0]])
    covariance = np.zeros((6, 6))
    covariance[:4, :4], covariance[4:, 4:] = thin @ thin.T, np.diag([4.0, 0.0])
    root = blockwise_root(covariance, [np.arange(4), np.arange(4, 6)])
    size = np.maximum(np.sqrt(np.diag(covariance)), 1e-3)
    np.testing.assert_allclose(root @ root.T / np.outer(size, size), covariance / np.outer(size, size), atol=1e-9)
    assert (root[:4, 4:] == 0.0).all() and (root[4:, :4] == 0.0).all()


@pytest.mark.parametrize("largest, exact", [(1.0, 1e-9), (1e12, 1e-3), (1e20, 0.3)])
def test_a_factor_beside_the_identity_survives_any_rounding(largest, exact):
    rng = np.random.default_rng(0)
    vector = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    value = largest * np.geomspace(1e-24, 1.0, 40)
    lower = factor_beside_identity((vector * value) @ vector.T)
    assert (np.triu(lower, 1) == 0.0).all() and (np.diag(lower) > 0.0).all()
    assert np.log(np.diag(lower)).sum() == pytest.approx(0.5 * np.log1p(value).sum(), rel=exact)

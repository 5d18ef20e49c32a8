"""Configuration: overrides, refusals that name the nearest key, hashes that stay."""

import dataclasses

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from omegaconf import OmegaConf

from spectramind_kit.config import known_keys, load_config
from spectramind_kit.errors import ConfigurationError


def test_overrides_reach_their_key_and_no_other(config):
    changed = load_config(["fit.drift_order=4", "calibration.linearity=false"])
    assert changed.fit == dataclasses.replace(config.fit, drift_order=4)
    assert changed.calibration == dataclasses.replace(config.calibration, linearity=False)
    assert changed.photometry == config.photometry


def test_group_override_takes_the_other_file(config):
    full = load_config(["simulation=full"]).simulation
    assert (full.airs_average, full.fgs1_average) == (1, 1)
    small = config.simulation
    assert small.airs_average > 1
    assert dataclasses.replace(small, airs_average=1, fgs1_average=1) == full


@pytest.mark.parametrize(
    "override, nearest",
    [
        ("fit.drift_ordr=4", "fit.drift_order"),
        ("drift_order=4", "fit.drift_order"),
        ("calibration.adc_sgn=inverse", "calibration.adc_sign"),
        ("photometri.bin_seconds=30", "photometry.bin_seconds"),
        ("+fit.drift_orders=4", "fit.drift_order"),
        ("~sed", "seed"),
    ],
)
def test_unknown_key_is_refused_with_the_nearest(override, nearest):
    with pytest.raises(ConfigurationError, match=f"did you mean '{nearest}'"):
        load_config([override])


@pytest.mark.parametrize(
    "override, named",
    [
        ("seed=abc", "'seed'"),
        ("fit.drift_order=2.5", "'fit.drift_order'"),
        ("calibration.adc_sign=upside_down", "'official' or 'inverse'"),
        ("calibration=nowhere", "calibration/nowhere"),
        ("fit=3", "fit=3"),
        ("workers=-1", "'workers'"),
        ("training.folds=0", "'training.folds'"),
        ("photometry.bin_seconds=0", "'photometry.bin_seconds'"),
        ("photometry.airs_rows=[24,8]", "'photometry.airs_rows'"),
        ("simulation.two_visit_fraction=2", "'simulation.two_visit_fraction'"),
        ("fit.drift_order", "fit.drift_order"),
    ],
)
def test_value_that_does_not_fit_is_refused_by_name(override, named):
    with pytest.raises(ConfigurationError, match=named):
        load_config([override])


def test_known_keys_are_groups_and_leaves_and_those_that_conf_has():
    keys = known_keys()
    assert set(keys) == set(_dotted(dataclasses.asdict(load_config())))
    assert {"seed", "fit", "fit.drift_order", "kaggle.target"} <= set(keys)
    assert not any(key.startswith("hydra") for key in keys)


def test_caller_keeps_the_hydra_that_it_initialized(tmp_path):
    (tmp_path / "mine.yaml").write_text("answer: 42\n")
    with initialize_config_dir(str(tmp_path), job_name="mine", version_base="1.2"):
        mine, rules, resolvers = GlobalHydra.instance().hydra, VersionBase.instance().getbase(), _resolvers()
        assert load_config(["fit.drift_order=4"]).fit.drift_order == 4
        with pytest.raises(ConfigurationError):
            load_config(["calibration=nowhere"])

        assert GlobalHydra.instance().hydra is mine
        assert VersionBase.instance().getbase() == rules
        assert JobRuntime().get("name") == "mine"
        assert _resolvers() == resolvers
        assert compose("mine").answer == 42


def test_caller_without_hydra_gets_none():
    load_config()
    assert not GlobalHydra.instance().is_initialized()


def _dotted(tree, prefix=""):
    for name, value in tree.items():
        yield f"{prefix}{name}"
        yield from _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else ()


def _resolvers():
    return {name: OmegaConf._get_resolver(name) for name in ("now", "hydra", "python_version")}

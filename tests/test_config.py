"""Configuration: overrides, refusals that name the nearest key, hashes that stay."""

import dataclasses

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from omegaconf import OmegaConf

from spectramind_kit.config import choices, known_keys, load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.work_folder.run_record import recorded


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
        ("calibration=nowhere", "wanted nominal, got nowhere"),
        ("model=v50_smal", "did you mean 'v50_small'"),
        ("fit={drift_order:4}", "fit.KEY=VALUE"),
        ("training.folds=1", "greater than or equal to 2"),
        ("photometry.bin_seconds=1e9", "less than or equal to 3600"),
        ("photometry.airs_rows=[8,40]", "'photometry.airs_rows'"),
        ("model.heads=3", "heads that divide d_model; 3 do not divide 64"),
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


def test_profiles_change_what_they_are_for_and_single_keys_count_more(config):
    laptop = load_config(["profile=laptop"])
    assert (laptop.profile, laptop.model.kind, laptop.workers) == ("laptop", "none", 2)
    assert laptop.fit == config.fit and config.profile == "nominal"
    assert load_config(["profile=laptop", "workers=3", "model=v50"]).workers == 3
    assert load_config(["profile=laptop", "model=v50"]).model.kind == "v50"
    assert load_config(["profile=kaggle_rerun"]).budget_hours < config.kaggle.hours
    assert load_config(["profile=overfit_small"]).model.dropout == 0.0


@pytest.mark.parametrize("profile", choices()["profile"])
def test_a_profile_calls_itself_by_its_name(profile):
    assert load_config([f"profile={profile}"]).profile == profile


def test_settings_of_a_file_are_overridden_by_keys_and_override_groups(tmp_path, config):
    file = tmp_path / "mine.yaml"
    file.write_text("profile: ci_fast\nmodel: v50\nfit:\n  drift_order: 4\nsimulation: {airs_average: 5}\n")
    found = load_config([f"config={file}", "simulation.fgs1_average=7"])
    assert (found.profile, found.fit.drift_order, found.training.epochs) == ("ci_fast", 4, 2)
    assert (found.simulation.airs_average, found.simulation.fgs1_average) == (5, 7)
    assert load_config([f"config={file}", "model=none", "profile=nominal"]).model.kind == "none"


def test_what_a_run_recorded_gives_its_configuration_again(tmp_path):
    config = load_config(["profile=laptop", "fit.drift_order=3", "kaggle.owner=ada", "simulation.families=[a,b]"])
    with recorded(tmp_path, "train", config) as run:
        pass
    for place in (run.folder, run.folder / "manifest.json"):
        again = load_config([f"config={place}"])
        assert again == dataclasses.replace(config, kaggle=load_config().kaggle), "but for what is nobody's business"


@pytest.mark.parametrize(
    "text, words",
    [
        ("fit: {drift_ordr: 4}", "did you mean 'fit.drift_order'"),
        ("model: v51", "did you mean 'v50'"),
        ("training: {folds: 1}", "'training.folds'"),
        ("- 1\n- 2", "settings in YAML"),
        ("a: [", "settings in YAML"),
    ],
)
def test_a_file_is_refused_as_overrides_are(tmp_path, text, words):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_config([f"config={tmp_path / 'mine.yaml'}"])

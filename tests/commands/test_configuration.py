"""``spectramind config``: what is set, what can be set, and what a key means."""

import json

import pytest

from spectramind_kit.commands.options import complete_override


def test_the_configuration_is_shown_with_and_without_saying_so(spectramind):
    status, out, _ = spectramind("config", "fit.drift_order=4")
    assert status == 0 and json.loads(out)["fit"]["drift_order"] == 4
    assert spectramind("config", "show", "fit.drift_order=4")[1] == out
    assert json.loads(spectramind("config")[1])["profile"] == "nominal"


def test_settings_of_a_file_count_less_than_overrides(spectramind, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("model: v50_small\nfit: {drift_order: 4, drift_scatter: 1e-3}\n")
    found = json.loads(spectramind("config", "--config", file, "fit.drift_order=6")[1])
    assert found["model"]["d_model"] == 32
    assert (found["fit"]["drift_order"], found["fit"]["drift_scatter"]) == (6, 1e-3)
    status, _, err = spectramind("config", "--config", tmp_path / "none.yaml")
    assert status == 2 and "none.yaml: wanted settings in YAML" in err


def test_a_key_is_explained(spectramind):
    status, out, _ = spectramind("config", "explain", "fit.drift_scatter")
    assert status == 0 and "relative to the star's flux" in out
    assert "number above 0, at most 1 [1]; shipped: 0.002" in out
    (facts,) = json.loads(spectramind("config", "explain", "photometry.bin_seconds", "--json")[1])
    assert (facts["unit"], facts["range"], facts["shipped"]) == ("s", [0, 3600], 72.0)


def test_a_group_is_explained_with_its_choices(spectramind):
    _, out, _ = spectramind("config", "explain", "model")
    assert out.startswith("model=NAME: auto, ") and "model.heads: attention heads" in out


def test_keys_are_searched_by_what_they_mean(spectramind):
    status, out, _ = spectramind("config", "search", "jitter", "pixel")
    assert status == 0 and "simulation.airs_jitter=0.013" in out and "fit.drift_order" not in out


@pytest.mark.parametrize(
    "arguments, words",
    [(("explain", "fit.drift"), "did you mean fit.drift_"), (("search", "xyzzy"), "wanted one at least")],
)
def test_what_is_not_there_is_a_wrong_usage(spectramind, arguments, words):
    status, _, err = spectramind("config", *arguments)
    assert status == 2 and words in err


@pytest.mark.parametrize(
    "typed, completed",
    [
        ("fit.drift_s", ["fit.drift_scatter="]),
        ("model=v50", ["model=v50", "model=v50_small"]),
        ("fit.drift_order=", []),
        ("xyzzy", []),
    ],
)
def test_a_shell_completes_keys_and_choices(typed, completed):
    assert complete_override(typed) == completed

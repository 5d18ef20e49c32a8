"""Figures of training: curves of the networks by epoch."""

from spectramind_kit.diagnostics.training_figures import learning_figures
from spectramind_kit.work_folder.learning_curves import read_learning_curves


def test_curves_go_on_where_an_interruption_cut_them(tmp_path):
    for version, rows in ((2, "0,1,3.0,\n0,,,0.4\n"), (10, "1,2,2.0,\n1,,,0.5\n"), (11, "")):
        folder = tmp_path / "training" / "logs" / "fold0_0" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(f"epoch,step,loss,score\n{rows}" if rows else "")
    curves = read_learning_curves(tmp_path / "training" / "logs")
    assert curves["epoch"].to_list() == [0, 1] and curves["score"].to_list() == [0.4, 0.5]
    loss, held_back = learning_figures(curves)
    assert loss.traces[0]["y"] == [3.0, 2.0] and held_back.traces[0]["y"] == [0.4, 0.5]


def test_a_network_without_planets_held_back_has_no_curve_of_scores(tmp_path):
    folder = tmp_path / "fold0_0" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,step,loss\n0,1,3.0\n")
    assert [each.title for each in learning_figures(read_learning_curves(tmp_path))] == ["Loss"]
    assert learning_figures(read_learning_curves(tmp_path / "none")) == []

"""Where the files of a run lie: the names that notebooks, attached runs and readers of the README rely on."""

from pathlib import Path

from spectramind_kit.work_folder.layout import WorkFolder

ROOT = Path("some") / "where"


def test_every_product_has_the_place_that_is_documented():
    work = WorkFolder(ROOT)
    places = {
        work.light_curves("train", 34983, 0): "light_curves/train/34983_0.npz",
        work.fit("test", 4294967311, 1): "fits/test/4294967311_1.npz",
        work.features("train", 7, 0): "features/train/7_0.npz",
        work.baseline_input("train", 7, 0): "baseline_input/train/7_0.npz",
        work.predictions("train"): "predictions/train.csv",
        work.model: "model",
        work.networks: "model/networks",
        work.training: "training",
        work.logs: "training/logs",
        work.submission: "submission.csv",
        work.manifest: "manifest.json",
        work.events: "events.jsonl",
        work.runs: "runs",
        work.latest("train"): "latest/train",
        work.sweeps: "sweeps",
        work.standing: "standing.json",
        work.report: "report.html",
    }
    assert {path: path.relative_to(ROOT).as_posix() for path in places} == places


def test_stored_products_are_those_of_the_planet_in_order_of_visits(tmp_path):
    work = WorkFolder(tmp_path)
    assert work.stored_fits("train", 7) == [] and work.stored_light_curves("train", 7) == []
    for planet, visit in ((7, 1), (7, 0), (77, 0)):
        for path in (work.fit("train", planet, visit), work.light_curves("train", planet, visit)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert work.stored_fits("train", 7) == [work.fit("train", 7, visit) for visit in (0, 1)]
    assert work.stored_light_curves("train", 7) == [work.light_curves("train", 7, visit) for visit in (0, 1)]

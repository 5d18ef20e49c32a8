"""What a session left is merged into the work folder, as a kernel's output would be."""

from spectramind_kit.kaggle.rehearsal.session_output import export_output


def test_files_are_merged_and_logs_are_continued(tmp_path):
    working, work = tmp_path / "working", tmp_path / "work"
    (working / "fits" / "test").mkdir(parents=True)
    (working / "fits" / "test" / "1_0.npz").write_text("fit of a test planet")
    (working / "events.jsonl").write_text('{"verb": "submit"}\n')
    (working / "manifest.json").write_text("new")
    (working / "__notebook__.ipynb").write_text("{}")
    (work / "fits" / "train").mkdir(parents=True)
    (work / "fits" / "train" / "7_0.npz").write_text("fit of a training planet")
    (work / "events.jsonl").write_text('{"verb": "train"}\n')
    (work / "manifest.json").write_text("old")

    left = export_output(working, work, without={"__notebook__.ipynb"})

    assert [str(path) for path in left] == ["events.jsonl", "fits/test/1_0.npz", "manifest.json"]
    assert (work / "events.jsonl").read_text() == '{"verb": "train"}\n{"verb": "submit"}\n'
    assert (work / "fits" / "test" / "1_0.npz").read_text() == "fit of a test planet"
    assert (work / "fits" / "train" / "7_0.npz").read_text() == "fit of a training planet"
    assert (work / "manifest.json").read_text() == "new"
    assert not (work / "__notebook__.ipynb").exists()


def test_links_stay_behind(tmp_path):
    (tmp_path / "working").mkdir()
    (tmp_path / "input.txt").write_text("x")
    (tmp_path / "working" / "link.txt").symlink_to(tmp_path / "input.txt")

    assert export_output(tmp_path / "working", tmp_path / "work") == []


def test_session_without_output_leaves_nothing(tmp_path):
    (tmp_path / "working").mkdir()

    assert export_output(tmp_path / "working", tmp_path / "work") == []

"""The record of a model: whose it is, and which files belong to it."""

import pytest

from spectramind_kit.work_folder.model_record import foreign_files, is_model, read_model_record, write_model_record


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "networks").mkdir()
    for name in ("model.npz", "networks/fold0_0.safetensors", "networks/fold1_0.safetensors"):
        (tmp_path / name).write_text(name)
    write_model_record(tmp_path, {"edition": "2025"})
    return tmp_path


@pytest.mark.parametrize("text", ['{"learner": {"objective": "reg"}}', '{"kit_version": "0.1', "[]", "", "\x80"])
def test_a_file_of_the_same_name_by_another_tool_or_torn_is_no_model(tmp_path, text):
    (tmp_path / "model.json").write_bytes(text.encode("latin-1"))
    assert not is_model(tmp_path) and not is_model(tmp_path / "nowhere")


def test_files_belong_to_their_record(folder):
    record = read_model_record(folder)
    assert record is not None and record["edition"] == "2025" and len(record["generation"]) == 16
    assert foreign_files(folder, record, "networks") == foreign_files(folder, record, "model.npz") == []


@pytest.mark.parametrize("damage", ["changed", "missing", "added"])
def test_files_of_another_training_do_not(folder, damage):
    record, file = read_model_record(folder), folder / "networks" / "fold1_0.safetensors"
    if damage == "missing":
        file.unlink()
    elif damage == "changed":
        file.write_text("of another training")
    else:
        file = folder / "networks" / "fold2_0.safetensors"
        file.touch()
    assert foreign_files(folder, record, "networks") == [f"networks/{file.name}"]
    assert foreign_files(folder, record, "model.npz") == []
    write_model_record(folder, {})
    again = read_model_record(folder)
    assert again["generation"] != record["generation"] and foreign_files(folder, again, "networks") == []

"""What is made here as a dataset has metadata that Kaggle takes, or is refused before anything is sent."""

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.dataset_push import open_dataset
from spectramind_kit.kaggle.rules.new_dataset import dataset_metadata, write_dataset_metadata

WORDS = "Weights for networks to start from", "Learned from 3 planets."


def test_a_folder_with_metadata_can_be_pushed(tmp_path):
    (tmp_path / "file.bin").write_bytes(b"content")
    write_dataset_metadata(tmp_path, "me/some-weights", *WORDS)
    found = open_dataset(tmp_path)
    assert found.ref == "me/some-weights" and found.metadata["title"] == "Some weights"


@pytest.mark.parametrize("ref, subtitle", [("me/x", WORDS[0]), ("/some-weights", WORDS[0]), ("me/weights", "short")])
def test_metadata_outside_kaggles_rules_are_refused(ref, subtitle):
    with pytest.raises(PackagingError, match="in here"):
        dataset_metadata(ref, subtitle, WORDS[1], "here")

"""Where the time went: the record of the commands, as a picture and in hours of the rerun."""

import json

import pytest
from matplotlib.patches import Rectangle

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.stage_times import plot_stages, read_stages, stage_labels


@pytest.fixture
def work(tmp_path):
    """A work folder in which training and submission ran."""
    events = [
        {"stage": "train", "planets": 40, "seconds": 20.0},
        {"stage": "note"},
        {"stage": "calibrate", "split": "test", "planets": 4, "seconds": 6.0},
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return tmp_path


def test_labels_tell_pace_and_hours(work, config):
    assert stage_labels(read_stages(work), config) == [
        "40 planets, 0.50 s each; 1100 would take 0.15 h here",
        "4 planets, 1.50 s each; 1100 would take 0.46 h here",
    ]


def test_picture_has_a_bar_for_each_stage(work, config):
    axes = plot_stages(work, config).axes[0]

    assert [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)] == [20.0, 6.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["train", "calibrate test"]


def test_work_folder_without_a_stage_is_refused(tmp_path):
    with pytest.raises(PackagingError, match="run a command of the kit first"):
        read_stages(tmp_path)

"""What the competition knew of us when it was last asked: kept, and never taken for today's when it is not."""

from datetime import UTC, datetime, timedelta

import pytest

from spectramind_kit.work_folder.standing import Standing, keep_standing, read_standing


def test_an_answer_comes_back(tmp_path):
    asked = datetime.now(UTC).replace(microsecond=0)
    rows = [{"ref": 7, "public_score": 0.43}]
    keep_standing(
        tmp_path / "w" / "standing.json", {"asked": asked.isoformat(), "budget": {"left": 3}, "submissions": rows}
    )
    found = read_standing(tmp_path / "w" / "standing.json")
    assert found == Standing(asked, 3, {7: rows[0]}) and found.sentence().startswith("submissions left today: 3, as of")


def test_yesterdays_answer_is_not_todays():
    sentence = Standing(datetime.now(UTC) - timedelta(days=1), 0).sentence()
    assert sentence.startswith("submissions left today: those of a new day")


@pytest.mark.parametrize("text", [None, "", "[]", '{"asked": "never"}', '{"asked": "2026-11-29", "budget": {}}'])
def test_what_is_no_answer_says_that_nothing_is_known(tmp_path, text):
    if text is not None:
        (tmp_path / "standing.json").write_text(text)
    assert "not known" in read_standing(tmp_path / "standing.json").sentence()

"""What the competition says of our submissions, through the real client and the command."""

import json

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.competition_status import list_submissions, refuse_used_up, submission_budget
from spectramind_kit.work_folder.standing import read_standing
from tests.kaggle.remote.test_commands import invoke

COMPETITION = "tiny-competition"


@pytest.fixture
def submitted(kaggle):
    """Five submissions, of which the last is not scored yet."""
    kaggle.submissions += [{"submissionDescription": f"try {number}"} for number in range(5)]
    return kaggle


def test_every_submission_is_read_back_with_its_scores(submitted, api):
    found = list_submissions(api, COMPETITION)

    assert [each.ref for each in found] == [4205, 4204, 4203, 4202, 4201]
    assert [each.public_score for each in found] == [None, 0.453, 0.452, 0.451, 0.45]
    assert [each.private_score for each in found] == [None, None, None, None, 0.44] and found[0].status == "pending"
    assert len(submitted.called("ListSubmissions")) == 3


def test_command_shows_scores_and_budget(submitted):
    shown = invoke("competition", "status", "--competition", COMPETITION).stdout.splitlines()

    assert shown[0].split() == ["submission", "date", "status", "public", "private"]
    assert shown[2].split() == ["4204", "2026-11-28", "12:00", "complete", "0.45300", "-", "try", "3"]
    assert shown[-1] == f"{COMPETITION}: 5 submitted today (UTC), 0 left; 15 in all"


def test_the_answer_is_kept_where_the_leaderboard_looks_for_it(submitted, tmp_path):
    shown = invoke("competition", "status", "--competition", COMPETITION, "--work", str(tmp_path), "--json").stdout
    standing = read_standing(tmp_path / "standing.json")

    assert json.loads(shown) == json.loads((tmp_path / "standing.json").read_text())
    assert standing.left == 0 and standing.submissions[4204]["public_score"] == 0.453


def test_competition_without_submissions_says_so_in_one_line(kaggle):
    shown = invoke("competition", "status", f"kaggle.competition={COMPETITION}").stdout

    assert shown == f"{COMPETITION}: 0 submitted today (UTC), 5 left; 10 in all\n"


def test_budget_counts_what_is_left(kaggle, api):
    assert submission_budget(api, COMPETITION).left == 5
    refuse_used_up(api, COMPETITION)
    kaggle.fail("submissions used up")
    with pytest.raises(PackagingError, match="wanted one left"):
        refuse_used_up(api, COMPETITION)


@pytest.mark.parametrize("written", ["c/{}", "https://www.kaggle.com/competitions/{}/leaderboard?search=me", "/c/{}"])
def test_competition_may_be_named_by_its_address(submitted, tmp_path, written):
    named = ("--competition", written.format(COMPETITION))

    assert f"\n{COMPETITION}: 5 submitted" in invoke("competition", "status", *named).stdout
    assert invoke("download", "--out", tmp_path, *named, "--dry-run").stdout.startswith(f"{COMPETITION}: 0 files")


def test_rules_that_are_not_accepted_are_a_sentence(kaggle):
    error = invoke("competition", "status", "--competition", "another-one").exception

    assert "HTTP 403" in str(error) and "accepted the competition's rules" in str(error)

"""Output of a session through the real client's list: it arrives whole and is what the kernel is for, or is refused."""

import json

import pytest

from spectramind_kit.errors import PackagingError, SubmissionError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.remote.kernel_output import fetch_output
from spectramind_kit.kaggle.rules.output_check import check_output, check_submission
from tests.kaggle.tiny_packages import table

REF = "somebody/tiny-kernel"


@pytest.fixture
def session(kaggle):
    """A session's output on the server, more than one page of it."""
    from tests.kaggle.loopback import Kernel

    kaggle.kernels[REF] = Kernel([{}])
    files = {"submission.csv": table(1, 2, 3), "model/model.json": b"{}", "model/model.npz": bytes(3_000_000)}
    kaggle.outputs[REF] = {**files, "events.jsonl": b'{"stage": "submit"}\n'}
    return kaggle.outputs[REF]


def test_output_of_every_page_is_fetched_whole_with_its_log(api, session, tmp_path):
    written = fetch_output(api, REF, tmp_path / "out")

    assert {str(path.relative_to(tmp_path / "out")) for path in written} == {*session, "tiny-kernel.log"}
    assert all((tmp_path / "out" / name).read_bytes() == content for name, content in session.items())
    assert check_output(tmp_path / "out", ["submission.csv", "model/*"]) == [
        "submission.csv: 1 file",
        "model/*: 2 files",
        "submission.csv: valid, 3 planets, 567 columns",
    ]


def test_chosen_files_only(api, session, tmp_path):
    assert fetch_output(api, REF, tmp_path, only=["submission.csv"]) == [tmp_path / "submission.csv"]


@pytest.mark.parametrize(
    "failure, words",
    [
        ("output truncated", "no whole response.*try again"),
        ("output missing", "HTTP 404.*no such object|HTTP 404"),
        ("output outside", "below the working folder, got '../outside.csv'"),
    ],
)
def test_broken_download_leaves_no_file(kaggle, api, session, tmp_path, failure, words):
    kaggle.fail(failure)

    with pytest.raises(PackagingError, match=words):
        fetch_output(api, REF, tmp_path / "out", only=["submission.csv", "events.jsonl", "../outside.csv"])
    assert not list(tmp_path.rglob("*.csv")) and not list(tmp_path.rglob("*.jsonl"))


def test_earlier_file_stands_where_a_download_breaks(kaggle, api, session, tmp_path):
    fetch_output(api, REF, tmp_path, only=["submission.csv"])
    kaggle.fail("output truncated")
    session["submission.csv"] = table(4)

    with pytest.raises(PackagingError):
        fetch_output(api, REF, tmp_path, only=["submission.csv"])
    assert (tmp_path / "submission.csv").read_bytes() == table(1, 2, 3)


@pytest.mark.parametrize(
    "content, words",
    [
        (table(1, 2)[:-4000], "finite number above 0|readable table|numbers"),
        (table(1, 1), "rows of the submission"),
        (table(1, value="-1"), "finite number above 0"),
        (table(1).replace(b"wl_7,", b"wl_8,", 1), "columns of the submission|readable table"),
        (b"<html>Not found</html>", "planet_id|readable table"),
        (b"", "readable table"),
    ],
    ids=["cut", "planet twice", "negative", "column renamed", "error page", "empty"],
)
def test_broken_submission_is_refused(tmp_path, content, words):
    (tmp_path / "submission.csv").write_bytes(content)

    with pytest.raises(SubmissionError, match=words):
        check_submission(tmp_path / "submission.csv")


def test_submission_cut_within_its_last_number_differs_from_its_manifest(tmp_path):
    path = tmp_path / "submission.csv"
    path.write_bytes(table(1, 2))
    (tmp_path / "manifest.json").write_text(json.dumps({"outputs": {"submission.csv": sha256_of(path)}}))
    check_submission(path)
    path.write_bytes(table(1, 2)[:-2])

    with pytest.raises(SubmissionError, match="cut or altered on the way"):
        check_submission(path)


def test_submission_is_held_against_the_sample_where_it_is_at_hand(tmp_path):
    (tmp_path / "submission.csv").write_bytes(table(1, 2))
    (tmp_path / "sample_submission.csv").write_bytes(table(1, 2, 3))

    with pytest.raises(SubmissionError, match="the sample's 3"):
        check_submission(tmp_path / "submission.csv", tmp_path / "sample_submission.csv")


def test_missing_or_empty_file_is_named(tmp_path):
    (tmp_path / "model.json").write_text("")

    with pytest.raises(PackagingError, match=r"wanted model.json, got \['model.json'\]"):
        check_output(tmp_path, ["model.json"])

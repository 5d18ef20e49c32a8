"""A code submission is of the version that was pushed, and only where that version's own run left a valid file."""

import json

import pytest

from spectramind_kit.errors import PackagingError, SubmissionError
from spectramind_kit.kaggle.remote.code_submission import submission_plan, submission_record, submit_version
from spectramind_kit.kaggle.remote.dataset_push import create_or_version, open_dataset
from spectramind_kit.kaggle.remote.kernel_push import prepare_push, push_kernel
from spectramind_kit.kaggle.remote.push_record import read_record
from tests.kaggle.tiny_packages import table

REF = "somebody/tiny-kernel"


@pytest.fixture
def pushed(kaggle, api, wheel_folder, kernel, polling):
    """The kernel's folder after two pushes; its session will leave a valid submission."""
    create_or_version(api, open_dataset(wheel_folder), "", polling)
    for _ in range(2):
        push_kernel(api, prepare_push(kernel, 3600), polling)
    kaggle.outputs[REF] = {"submission.csv": table(1, 2), "manifest.json": b"{}"}
    return kernel


def submit(api, folder, polling, version=None):
    return submit_version(api, folder, submission_record(folder, version), "a try", polling)


def test_pushed_version_is_submitted_and_recorded(kaggle, api, pushed, polling):
    record = submit(api, pushed, polling)

    assert kaggle.submissions == [
        {
            "competitionName": "tiny-competition",
            "kernelOwner": "somebody",
            "kernelSlug": "tiny-kernel",
            "kernelVersion": 2,
            "fileName": "submission.csv",
            "submissionDescription": "a try",
        }
    ]
    assert record.submissions == (4201,) and read_record(pushed) == record
    assert submit(api, pushed, polling).submissions == (4201, 4202)


@pytest.mark.parametrize(
    "failure, words",
    [
        ("session error", "too much memory"),
        ("session endless", "got (RUNNING|QUEUED)"),
        ("another version made", "version 2, the one pushed, got 3.*--version"),
        ("output truncated", "no whole response"),
        ("submission refused", "HTTP 400: You have used all your submissions for today"),
        ("submission unrecorded", "the reference of a submission, got Could not submit"),
    ],
)
def test_nothing_is_recorded_where_anything_fails(kaggle, api, pushed, polling, short_polling, failure, words):
    kaggle.fail(failure)

    with pytest.raises(PackagingError, match=words):
        submit(api, pushed, short_polling if failure == "session endless" else polling)
    assert not kaggle.submissions and not read_record(pushed).submissions


def test_broken_file_costs_no_submission(kaggle, api, pushed, polling):
    kaggle.outputs[REF]["submission.csv"] = table(1, 2)[:-3000]

    with pytest.raises(SubmissionError):
        submit(api, pushed, polling)
    assert not kaggle.called("CreateCodeSubmission")


def test_used_up_day_is_refused_before_anything_is_waited_for(kaggle, api, pushed, polling):
    kaggle.submissions.append({})
    kaggle.fail("submissions used up")
    asked = len(kaggle.called("GetKernelSessionStatus"))

    with pytest.raises(PackagingError, match="wanted one left, got 1 submitted today .UTC., 0 left; 11 in all; wait"):
        submit(api, pushed, polling)
    assert len(kaggle.called("GetKernelSessionStatus")) == asked and not kaggle.called("CreateCodeSubmission")


def test_zeros_before_the_first_submission_are_no_limit(kaggle, api, pushed, polling):
    kaggle.fail("no team")

    assert submit(api, pushed, polling).submissions == (4201,)


def test_server_that_cannot_tell_the_limit_keeps_nobody_from_submitting(kaggle, api, pushed, polling):
    kaggle.fail("limits down")

    assert submit(api, pushed, polling).submissions == (4201,)


def test_run_that_fell_back_costs_no_submission_unless_it_is_wanted(kaggle, api, pushed, polling):
    kaggle.outputs[REF]["manifest.json"] = json.dumps({"fallbacks": {"34983": "no light"}}).encode()
    with pytest.raises(SubmissionError, match="wanted none, got 1, among them 34983: no light; .*--despite-fallbacks"):
        submit(api, pushed, polling)
    assert not kaggle.called("CreateCodeSubmission")
    submit_version(api, pushed, submission_record(pushed), "a try", polling, despite_fallbacks=True)
    assert len(kaggle.submissions) == 1


@pytest.mark.parametrize(
    "facts, words",
    [
        (
            {"losses": ["model.json: no such file"]},
            "losses of .*wanted none, got model.json: no such file; .*--despite",
        ),
        ({"losses": ["no model"], "fallbacks": {"5": "no light"}}, "losses of .*got no model"),
        ({"fallbacks": ["5", "6"]}, "fallbacks of .*got 2, among them 5; "),
        ({"losses": "all"}, "got all"),
    ],
)
def test_run_that_lost_its_model_costs_no_submission_unless_it_is_wanted(kaggle, api, pushed, polling, facts, words):
    kaggle.outputs[REF]["manifest.json"] = json.dumps(facts).encode()
    with pytest.raises(SubmissionError, match=words):
        submit(api, pushed, polling)
    assert not kaggle.called("CreateCodeSubmission")
    submit_version(api, pushed, submission_record(pushed), "a try", polling, despite_fallbacks=True)
    assert len(kaggle.submissions) == 1


@pytest.mark.parametrize("text", ["", "{", "[1]", "5", '"text"'])
def test_manifest_that_is_none_costs_no_submission(kaggle, api, pushed, polling, text):
    kaggle.outputs[REF]["manifest.json"] = text.encode()

    with pytest.raises(
        SubmissionError, match="manifest.json of the run: got .*wanted .*fetch it again, or read the log"
    ):
        submit(api, pushed, polling)
    assert not kaggle.called("CreateCodeSubmission")


@pytest.mark.parametrize("facts", [{}, {"losses": [], "fallbacks": {}}, {"losses": None, "outputs": None}])
def test_run_without_a_fall_is_submitted(kaggle, api, pushed, polling, facts):
    kaggle.outputs[REF]["manifest.json"] = json.dumps(facts).encode()

    assert submit(api, pushed, polling).submissions == (4201,)


def test_run_without_a_manifest_is_submitted_with_a_warning(kaggle, api, pushed, polling, caplog):
    del kaggle.outputs[REF]["manifest.json"]

    assert submit(api, pushed, polling).submissions == (4201,)
    assert "left no manifest.json: whether it fell back is not known" in caplog.text


def test_missing_file_costs_no_submission(kaggle, api, pushed, polling):
    del kaggle.outputs[REF]["submission.csv"]

    with pytest.raises(PackagingError, match="wanted submission.csv"):
        submit(api, pushed, polling)
    assert not kaggle.called("CreateCodeSubmission")


def test_named_version_must_be_the_current_one(kaggle, api, pushed, polling):
    with pytest.raises(PackagingError, match="version 1, the one pushed, got 2"):
        submit(api, pushed, polling, version=1)


def test_plan_names_what_would_be_submitted(pushed):
    plan = submission_plan(submission_record(pushed), "a try")

    assert (plan["kernel"], plan["version"], plan["competition"]) == (REF, 2, "tiny-competition")

"""Submit the pushed version of a kernel to its code competition, after checking that its own run left a valid file.

Kaggle runs that version again on the hidden planets; a version whose run failed, or whose file is broken, would cost
a submission for nothing.
"""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError, SubmissionError
from spectramind_kit.kaggle.remote.client import asking
from spectramind_kit.kaggle.remote.competition_status import refuse_used_up
from spectramind_kit.kaggle.remote.kernel_output import fetch_output
from spectramind_kit.kaggle.remote.kernel_session import check_version, wait_for_kernel
from spectramind_kit.kaggle.remote.polling import PollingPolicy
from spectramind_kit.kaggle.remote.push_record import PushRecord, read_record, write_record
from spectramind_kit.kaggle.rules.output_check import MANIFEST, SUBMISSION, check_output, read_manifest

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)


def submission_record(folder: Path, version: int | None = None) -> PushRecord:
    """Return the record of the version to submit: the one pushed from the folder, or another one that is named.

    Raises:
        PackagingError: if nothing was pushed, or what was pushed is attached to no competition.
    """
    record = read_record(folder)
    if version is not None and version != record.version:
        record = replace(record, version=version, submissions=())
    if record.competition is None:
        remedy = "submit a kernel that the competition is attached to, such as kernels/submit"
        raise PackagingError(f"kernel {record.kernel}", wanted="a competition source", got="none", remedy=remedy)
    return record


def submission_plan(record: PushRecord, message: str) -> dict:
    """Return what a submission would send."""
    return {
        "competition": record.competition,
        "kernel": record.kernel,
        "version": record.version,
        "file": SUBMISSION,
        "message": message,
        "submissions of this version so far": list(record.submissions),
    }


def submit_version(
    api: "KaggleApi",
    folder: Path,
    record: PushRecord,
    message: str,
    polling: PollingPolicy,
    despite_fallbacks: bool = False,
) -> PushRecord:
    """Wait for the version's own run, validate its file, submit the version, and record the submission.

    Args:
        api: the client.
        folder: the kernel's.
        record: of the version.
        message: description of the submission.
        polling: how often to ask whether the run is over, and for how long.
        despite_fallbacks: True to submit a version whose own run fell back, on planets or wholly.

    Returns:
        the record with the submission's reference.

    Raises:
        PackagingError: if today's submissions are used up, the run failed, another version came after it, or the server
            does not take the submission.
        SubmissionError: if the run's file is not valid, or it fell back.
    """
    if record.competition:
        refuse_used_up(api, record.competition)
    wait_for_kernel(api, record.kernel, polling)
    check_version(api, record.kernel, record.version)
    with tempfile.TemporaryDirectory() as out:
        fetch_output(api, record.kernel, Path(out), only=(SUBMISSION, MANIFEST))
        check_output(Path(out), [SUBMISSION])
        if not despite_fallbacks:
            refuse_fallbacks(Path(out) / MANIFEST)
    what = f"submission of {record.kernel}, version {record.version}, to {record.competition}"
    with asking(what):
        response = api.competition_submit_code(
            SUBMISSION, message, record.competition, record.kernel, record.version, quiet=True
        )
    if not response.ref:
        remedy = "look at the competition's page whether it is there before you submit again"
        raise PackagingError(
            what, wanted="the reference of a submission", got=response.message or "none", remedy=remedy
        )
    submitted = record.with_submission(response.ref)
    write_record(folder, submitted)
    return submitted


def refuse_fallbacks(manifest: Path) -> None:
    """Refuse a run that fell back, wholly or for planets: on the hidden planets it would do so, too.

    Raises:
        SubmissionError: naming what the run lost, or the first planet and the reason.
    """
    if not manifest.is_file():
        log.warning("the version's own run left no %s: whether it fell back is not known", manifest.name)
    facts = read_manifest(manifest)
    remedy = "mend it and push again, or say --despite-fallbacks"
    if losses := facts.get("losses"):
        raise SubmissionError("losses of the version's own run", wanted="none", got=_first(losses), remedy=remedy)
    if fallbacks := facts.get("fallbacks"):
        got = f"{len(fallbacks)}, among them {_first(fallbacks)}"
        raise SubmissionError("fallbacks of the version's own run", wanted="none", got=got, remedy=remedy)


def _first(found: object) -> str:
    """Return the first of what a run lists, and the reason where it gives one."""
    if isinstance(found, dict):
        return ": ".join(map(str, next(iter(found.items()))))
    return str(found[0] if isinstance(found, list) else found)

"""Create a dataset on Kaggle or give it a new version, and know that it arrived.

The client's own ``datasets create`` skips folders unless asked to zip them, goes on without files whose upload failed,
and takes any error of the server for "does not exist"; none of that shows in its exit status. Here its upload runs
with folders zipped (Kaggle unpacks them), each file is counted, and a version is made only from all of them.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking, http_status
from spectramind_kit.kaggle.remote.polling import PollingPolicy, wait_until
from spectramind_kit.kaggle.rules.client_rules import SECRETS, left_behind, upload_entries, uploaded_files
from spectramind_kit.kaggle.rules.metadata_file import read_metadata_file
from spectramind_kit.kaggle.rules.upload_rules import DATASET_METADATA, check_dataset_metadata, check_uploadable

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi
    from kagglesdk.datasets.types.dataset_api_service import (
        ApiCreateDatasetRequest,
        ApiCreateDatasetResponse,
        ApiCreateDatasetVersionRequestBody,
    )

    DatasetRequest = ApiCreateDatasetRequest | ApiCreateDatasetVersionRequestBody

log = logging.getLogger(__name__)

READY, FAILED, DELETED = "ready", "failed", "deleted"
ZIP_YEARS = range(1980, 2108)
"""What a zip archive can date: the client stops at a file outside."""


@dataclass(frozen=True)
class DatasetFolder:
    """A folder that may be pushed: it and its metadata have passed every check that needs no server.

    Attributes:
        folder: where it lies.
        metadata: contents of its ``dataset-metadata.json``.
    """

    folder: Path
    metadata: dict

    @property
    def ref(self) -> str:
        """Its name on Kaggle, "owner/slug"."""
        return self.metadata["id"]

    def plan(self) -> dict:
        """Return what a push would send, and what it would leave behind."""
        entries = {f"{path.name}.zip" if path.is_dir() else path.name: 0 for path in upload_entries(self.folder)}
        for file in uploaded_files(self.folder):
            top = file.relative_to(self.folder).parts[0]
            entries[top if top in entries else f"{top}.zip"] += file.stat().st_size
        plan = {"dataset": self.ref, "metadata": self.metadata, "bytes before packing": entries}
        return {**plan, "left behind": ", ".join(left_behind(self.folder))}


@dataclass(frozen=True)
class DatasetState:
    """What the server reports of a dataset.

    Attributes:
        status: its word for it.
        version: the version in use; 0 where it does not report one.
    """

    status: str
    version: int

    def __str__(self) -> str:
        return f"{self.status}, version {self.version}" if self.version else self.status


NOT_SHOWN = DatasetState("not shown yet", 0)
"""A dataset that was made a moment ago: the server answers 404 until its records agree."""


def open_dataset(folder: Path) -> DatasetFolder:
    """Read and check a folder that is to be a dataset.

    Raises:
        PackagingError: if Kaggle would refuse or garble it.
    """
    path = folder / DATASET_METADATA
    if not path.is_file():
        remedy = "build_dataset.py writes one; for another folder write id, title and licenses"
        raise PackagingError(f"dataset {folder}", wanted=DATASET_METADATA, got="no such file", remedy=remedy)
    metadata = read_metadata_file(path)
    check_dataset_metadata(metadata, path)
    check_uploadable(folder, uploaded_files(folder))
    return DatasetFolder(folder.resolve(), metadata)


def dataset_state(api: "KaggleApi", ref: str) -> DatasetState | None:
    """Return the server's report on a dataset, None if there is none of that name (that this account may see)."""
    try:
        with asking(f"dataset {ref}"):
            report = json.loads(api.dataset_status(ref, format="json(status,current_version_number)"))
    except PackagingError as error:
        if http_status(error) in (403, 404):  # Kaggle's "forbidden" is also for what is not there
            return None
        raise
    return DatasetState(report["status"], report["current_version_number"] or 0)


def wait_for_dataset(
    api: "KaggleApi", ref: str, polling: PollingPolicy, after: int = -1, just_made: bool = False
) -> DatasetState:
    """Wait until a dataset is ready to be attached.

    Args:
        api: the client.
        ref: "owner/slug" or "owner/slug/version".
        polling: how often to ask, and for how long.
        after: a version that is not the awaited one; its readiness does not count.
        just_made: True if the server has taken it, so that it will be there although the server does not show it yet.

    Raises:
        PackagingError: if there is no such dataset, its processing failed, or it is not ready in time.
    """
    name = "/".join(ref.split("/")[:2])

    def ask() -> DatasetState:
        state = dataset_state(api, name)
        return NOT_SHOWN if state is None and just_made else _usable(name, state)

    def is_over(state: DatasetState) -> bool:
        return state.status == READY and not 0 < state.version <= after

    return wait_until(ask, is_over, polling, f"dataset {name}", READY)


def dataset_status(api: "KaggleApi", ref: str, polling: PollingPolicy | None = None) -> DatasetState:
    """Return how a dataset is doing now, or, with a polling policy, once it is ready.

    Raises:
        PackagingError: if there is none, or its processing failed.
    """
    if polling:
        return wait_for_dataset(api, ref, polling)
    return _usable(ref, dataset_state(api, ref))


def create_or_version(api: "KaggleApi", dataset: DatasetFolder, notes: str, polling: PollingPolicy) -> DatasetState:
    """Create the dataset, or a new version of it where it exists, and wait until it is ready."""
    there = dataset_state(api, dataset.ref)
    return create(api, dataset, polling) if there is None else make_version(api, dataset, there, notes, polling)


def create(api: "KaggleApi", dataset: DatasetFolder, polling: PollingPolicy) -> DatasetState:
    """Create a private dataset and wait until it is ready.

    Raises:
        PackagingError: if a file does not arrive, or the server refuses the dataset.
    """
    from kagglesdk.datasets.types.dataset_api_service import ApiCreateDatasetRequest

    request = ApiCreateDatasetRequest()
    request.owner_slug, request.slug = dataset.ref.split("/")
    request.title, request.license_name = dataset.metadata["title"], dataset.metadata["licenses"][0]["name"]
    request.is_private = True
    _describe(request, dataset.metadata)
    with api.build_kaggle_client() as kaggle:
        _send(api, dataset, request, lambda: kaggle.datasets.dataset_api_client.create_dataset(request))
    return wait_for_dataset(api, dataset.ref, polling, just_made=True)


def make_version(
    api: "KaggleApi", dataset: DatasetFolder, there: DatasetState | None, notes: str, polling: PollingPolicy
) -> DatasetState:
    """Make a new version of a dataset, a full snapshot of the folder, and wait until it is ready.

    Args:
        api: the client.
        dataset: the folder.
        there: the server's report on the dataset as it is; None, that there is none, is refused.
        notes: of the version, shown on Kaggle.
        polling: how often to ask whether it is ready, and for how long.

    Raises:
        PackagingError: if a file does not arrive, or the server refuses the version.
    """
    from kagglesdk.datasets.types.dataset_api_service import (
        ApiCreateDatasetVersionRequest,
        ApiCreateDatasetVersionRequestBody,
    )

    if there is None:
        raise _absent(dataset.ref)
    request, body = ApiCreateDatasetVersionRequest(), ApiCreateDatasetVersionRequestBody()
    request.owner_slug, request.dataset_slug = dataset.ref.split("/")
    body.version_notes = notes
    _describe(body, dataset.metadata)

    def ask() -> "ApiCreateDatasetResponse":
        request.body = body
        return kaggle.datasets.dataset_api_client.create_dataset_version(request)

    with api.build_kaggle_client() as kaggle:
        _send(api, dataset, body, ask)
    return wait_for_dataset(api, dataset.ref, polling, after=there.version, just_made=True)


def _usable(ref: str, state: DatasetState | None) -> DatasetState:
    """Return the state of a dataset that is ready or can become so; refuse any other."""
    if state is None:
        raise _absent(ref)
    if state.status in (FAILED, DELETED):
        remedy = "its page on Kaggle shows why; push it again"
        raise PackagingError(f"dataset {ref}", wanted=READY, got=str(state), remedy=remedy)
    return state


def _absent(ref: str) -> PackagingError:
    remedy = "spectramind dataset push creates it; check owner and name"
    return PackagingError(f"dataset {ref}", wanted="one on Kaggle", got="none", remedy=remedy)


def _describe(request: "DatasetRequest", metadata: dict) -> None:
    request.subtitle, request.description = metadata.get("subtitle"), metadata.get("description")
    request.category_ids, request.files = metadata.get("keywords") or [], []


def _send(
    api: "KaggleApi",
    dataset: DatasetFolder,
    request: "DatasetRequest",
    ask: Callable[[], "ApiCreateDatasetResponse"],
) -> None:
    """Upload the folder's entries into a request, then ask for it, unless a file is missing."""
    from kaggle.api.kaggle_api_extended import ResumableUploadContext
    from kagglesdk.blobs.types.blob_api_service import ApiBlobType

    entries, response, problem = upload_entries(dataset.folder), None, ""
    quiet = not sys.stderr.isatty()  # else a progress bar a file
    upload = partial(api.upload_files, quiet=quiet, dir_mode="zip", ignore_patterns=list(SECRETS))
    with (
        asking(f"upload of dataset {dataset.ref}"),
        _with_dates_of_zip(dataset.folder) as folder,
        ResumableUploadContext() as uploads,
    ):
        try:
            upload(request, None, str(folder), ApiBlobType.DATASET, uploads)
        except ValueError as error:  # from 2.2.5 on; earlier clients go on without the file
            problem = f" ({error})"
        arrived = len(request.files or ())
        if arrived == len(entries):
            response = api.with_retry(ask)()
    # Raised out here: inside, the client would keep the failed upload's address and fail on it for days.
    if response is None:
        got = f"{arrived} of {[entry.name for entry in entries]}{problem}"
        remedy = "nothing was made of it; check storage quota and network, then push again"
        raise PackagingError(f"upload of dataset {dataset.ref}", wanted="every file", got=got, remedy=remedy)
    if response.error or response.status.lower() != "ok":
        got = f"{response.status}: {response.error}"
        raise PackagingError(f"dataset {dataset.ref}", wanted="status ok", got=got, remedy="correct what it names")
    log.info("%s: uploaded; %s", dataset.ref, response.url)


@contextmanager
def _with_dates_of_zip(folder: Path) -> Iterator[Path]:
    """Yield a folder whose files an archive can date: the same one, or a copy by links in which others are of today."""
    if all(_has_date_of_zip(path) for path in uploaded_files(folder)):
        yield folder
        return

    def link(source: str, place: str) -> None:
        if _has_date_of_zip(Path(source)):
            os.symlink(Path(source).resolve(), place)
        else:
            shutil.copyfile(source, place)

    with tempfile.TemporaryDirectory() as temporary:
        yield Path(
            shutil.copytree(folder, Path(temporary, folder.name), copy_function=link, ignore_dangling_symlinks=True)
        )


def _has_date_of_zip(path: Path) -> bool:
    return time.localtime(path.stat().st_mtime).tm_year in ZIP_YEARS

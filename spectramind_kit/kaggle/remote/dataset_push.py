"""Create a dataset on Kaggle or give it a new version, and know that it arrived.

The client's own ``datasets create`` skips folders unless asked to zip them, goes on without files whose upload failed,
and takes any error of the server for "does not exist"; none of that shows in its exit status. Here its upload runs
with folders zipped (Kaggle unpacks them), each file is counted, and a version is made only from all of them.
"""

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking, http_status
from spectramind_kit.kaggle.remote.polling import PollingPolicy, wait_until
from spectramind_kit.kaggle.rules.limits import (
    DATASET_METADATA,
    check_dataset_metadata,
    check_uploadable,
    upload_entries,
)

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
        """Return what a push would send."""
        entries = {
            f"{path.name}.zip" if path.is_dir() else path.name: sum(
                file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()
            )
            for path in upload_entries(self.folder)
        }
        return {"dataset": self.ref, "metadata": self.metadata, "bytes before packing": entries}


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


def open_dataset(folder: Path) -> DatasetFolder:
    """Read and check a folder that is to be a dataset.

    Raises:
        PackagingError: if Kaggle would refuse or garble it.
    """
    path = folder / DATASET_METADATA
    if not path.is_file():
        remedy = "build_dataset.py writes one; for another folder write id, title and licenses"
        raise PackagingError(f"dataset {folder}", wanted=DATASET_METADATA, got="no such file", remedy=remedy)
    try:
        metadata = json.loads(path.read_text())
    except ValueError as error:
        raise PackagingError(f"{path}", wanted="JSON", got=str(error)) from error
    check_dataset_metadata(metadata, path)
    check_uploadable(folder)
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


def wait_for_dataset(api: "KaggleApi", ref: str, polling: PollingPolicy, after: int = -1) -> DatasetState:
    """Wait until a dataset is ready to be attached.

    Args:
        api: the client.
        ref: "owner/slug" or "owner/slug/version".
        polling: how often to ask, and for how long.
        after: a version that is not the awaited one; its readiness does not count.

    Raises:
        PackagingError: if there is no such dataset, its processing failed, or it is not ready in time.
    """
    name = "/".join(ref.split("/")[:2])

    def ask() -> DatasetState:
        return _usable(name, dataset_state(api, name))

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
    return wait_for_dataset(api, dataset.ref, polling)


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
    return wait_for_dataset(api, dataset.ref, polling, after=there.version)


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
    with asking(f"upload of dataset {dataset.ref}"), ResumableUploadContext() as uploads:
        try:
            api.upload_files(request, None, str(dataset.folder), ApiBlobType.DATASET, uploads, quiet, dir_mode="zip")
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

"""Push a kernel: one notebook with its parameters baked in, after everything that it needs is ready.

Kaggle takes away a source that is not ready, or misspelt, and runs the kernel without it; the client then reports
success. So datasets are waited for until they are ready and kernels until they are complete, and any source that the
response calls invalid is an error.
"""

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking, client_output
from spectramind_kit.kaggle.remote.dataset_push import wait_for_dataset
from spectramind_kit.kaggle.remote.kernel_session import wait_for_kernel
from spectramind_kit.kaggle.remote.polling import PollingPolicy
from spectramind_kit.kaggle.remote.push_record import PushRecord, write_record
from spectramind_kit.kaggle.rules.client_rules import check_push, write_push
from spectramind_kit.kaggle.rules.kernel import METADATA, check_kernel, notebook_path, read_metadata
from spectramind_kit.kaggle.rules.metadata_file import OUTPUT, plain_name
from spectramind_kit.kaggle.rules.parameters import bake_parameters
from spectramind_kit.kaggle.rules.trust import bound_to, trusted_manifest
from spectramind_kit.kaggle.rules.upload_rules import T4_X2, check_pushable

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi
    from kagglesdk.kernels.types.kernels_api_service import ApiSaveKernelResponse

log = logging.getLogger(__name__)

SOURCES = ("dataset_sources", "kernel_sources", "competition_sources", "model_sources")
NONE = "none"


@dataclass(frozen=True)
class KernelPush:
    """What is going to be pushed: everything in it has passed every check that needs no server.

    Attributes:
        folder: the kernel's.
        metadata: as the client will read it.
        text: the notebook as JSON, parameters baked in.
        parameters: those parameters.
        seconds: Kaggle ends the session after so long [s].
    """

    folder: Path
    metadata: Mapping[str, Any]
    text: str
    parameters: Mapping[str, object]
    seconds: int

    @property
    def ref(self) -> str:
        """Its name on Kaggle, "owner/slug"."""
        return self.metadata["id"]

    def plan(self) -> dict:
        """Return what a push would send, and what it would wait for."""
        return {
            "metadata": dict(self.metadata),
            "parameters": dict(self.parameters),
            "notebook bytes": len(self.text.encode()),
            "session seconds at most": self.seconds,
            "waits for datasets": list(self.metadata["dataset_sources"]),
            "waits for kernels": list(self.metadata["kernel_sources"]),
        }


def prepare_push(
    folder: Path,
    seconds: int,
    parameters: Mapping[str, object] | None = None,
    owner: str = "",
    more_sources: Mapping[str, Iterable[str]] | None = None,
    accelerator: str = "",
    trust: Path | None = None,
) -> KernelPush:
    """Put together what a push sends.

    Args:
        folder: the kernel's.
        seconds: the session's limit [s].
        parameters: values for the notebook's parameters.
        owner: whose kernel it becomes; what the metadata attaches of its own owner's moves along. "" as it is written.
        more_sources: attached beside what the metadata names, by kind of ``SOURCES``.
        accelerator: a machine of Kaggle's, or "none"; "" as it is written.
        trust: folder of the one wheel dataset that the notebook will install; None takes whichever is attached.

    Raises:
        PackagingError: on whatever Kaggle would refuse, drop or misread.
    """
    check_kernel(folder)
    metadata = {key: value for key, value in read_metadata(folder).items() if key != OUTPUT}
    metadata = owned_by(metadata, owner) if owner else metadata
    for kind in SOURCES:
        more = [plain_name(kind, source) for source in (more_sources or {}).get(kind, [])]
        metadata[kind] = list(dict.fromkeys([*metadata[kind], *more]))
    metadata = with_machine(metadata, accelerator)
    check_pushable(metadata, folder / METADATA)
    notebook = bake_parameters(notebook_path(folder), parameters or {})
    if trust is not None:
        notebook = bound_to(notebook, trusted_manifest(trust, metadata["dataset_sources"]), notebook_path(folder))
    text = nbformat.writes(notebook)
    try:
        check_push(metadata, text)
    except ValueError as error:
        raise PackagingError(f"{folder / METADATA}", wanted="what the client takes", got=str(error)) from error
    return KernelPush(folder, metadata, text, dict(parameters or {}), seconds)


def owned_by(metadata: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return the metadata of another owner's copy: its name, and those of the first owner's sources, change owner."""
    first = str(metadata.get("id", "")).partition("/")[0]

    def moved(ref: str) -> str:
        return f"{owner}/{ref.partition('/')[2]}" if ref.partition("/")[0] == first else ref

    sources = {kind: [moved(ref) for ref in metadata.get(kind, [])] for kind in ("dataset_sources", "kernel_sources")}
    return {**metadata, "id": moved(str(metadata.get("id", ""))), **sources}


def with_machine(metadata: Mapping[str, Any], accelerator: str) -> dict[str, Any]:
    """Return the metadata with the machine named: a kernel with GPU that names none gets two T4, one without none.

    Args:
        metadata: of the kernel.
        accelerator: a machine of Kaggle's, or "none"; "" as the metadata says.
    """
    others = {key: value for key, value in metadata.items() if key != "machine_shape"}
    shape = accelerator or metadata.get("machine_shape") or (T4_X2 if metadata.get("enable_gpu") else "")
    if not shape:
        return {**others, "enable_gpu": False}
    if shape == NONE:
        return {**others, "enable_gpu": False, "enable_tpu": False}
    return {
        **others,
        "enable_gpu": shape.startswith("Nvidia"),
        "enable_tpu": shape.startswith("Tpu"),
        "machine_shape": shape,
    }


def push_kernel(api: "KaggleApi", push: KernelPush, polling: PollingPolicy) -> PushRecord:
    """Wait for the sources, push, and record the version beside the kernel.

    Raises:
        PackagingError: if a source is missing, failed or not ready in time, or the server refuses anything.
    """
    for source in push.metadata["dataset_sources"]:
        wait_for_dataset(api, source, polling)
    for source in push.metadata["kernel_sources"]:
        wait_for_kernel(api, source, polling)
    with tempfile.TemporaryDirectory() as folder:
        write_push(Path(folder), push.metadata, push.text)
        with asking(f"push of kernel {push.ref}"), client_output() as output:
            response = api.kernels_push(folder, timeout=str(push.seconds))
    for line in output.getvalue().splitlines():
        log.warning("kaggle: %s", line)
    check_response(push.ref, response)
    record = PushRecord(
        kernel=push.ref,
        version=response.version_number,
        url=response.url,
        pushed=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        notebook_sha256=hashlib.sha256(push.text.encode()).hexdigest(),
        parameters=dict(push.parameters),
        sources={kind: list(push.metadata[kind]) for kind in SOURCES},
    )
    write_record(push.folder, record)
    return record


def check_response(ref: str, response: "ApiSaveKernelResponse") -> None:
    """Refuse an response that is not a whole success: an error, a source or tag taken away, no version.

    Raises:
        PackagingError: with the server's message and what became of the kernel.
    """
    if response.error:
        raise PackagingError(
            f"push of kernel {ref}", got=response.error, remedy="nothing was pushed; mend what it names"
        )
    refused = {
        "datasets": response.invalid_dataset_sources,
        "kernels": response.invalid_kernel_sources,
        "competitions": response.invalid_competition_sources,
        "models": response.invalid_model_sources,
        "tags": response.invalid_tags,
    }
    refused = {kind: list(names) for kind, names in refused.items() if names}
    if refused:
        remedy = (
            f"version {response.version_number} runs without them: stop it, check spelling and access "
            "(for a competition: its rules accepted), then push again"
        )
        raise PackagingError(f"sources of kernel {ref}", wanted="all", got=f"refused: {refused}", remedy=remedy)
    if not response.version_number:
        remedy = f"look at {response.url or 'it on Kaggle'} and push again"
        raise PackagingError(f"push of kernel {ref}", wanted="a version number", got="none", remedy=remedy)

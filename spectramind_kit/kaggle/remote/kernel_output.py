"""Fetch what a kernel's session left, whole.

The client's own download writes whatever an error page says into the file, and a short response leaves an empty one, so
its list is taken and the files are fetched here: checked status, checked length, whole or not at all.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import requests

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import replacing
from spectramind_kit.kaggle.remote.client import asking

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)

PAGE_SIZE = 100
SECONDS_BETWEEN_BYTES = 60.0


@dataclass(frozen=True)
class OutputFile:
    """A file of a kernel's output.

    Attributes:
        path: below the working folder.
        url: where to fetch it.
    """

    path: str
    url: str


def list_output(api: "KaggleApi", ref: str) -> tuple[list[OutputFile], str]:
    """Return the files of a kernel's latest session, and its log."""
    from kagglesdk.kernels.types.kernels_api_service import ApiListKernelSessionOutputRequest

    request, files, log_text = ApiListKernelSessionOutputRequest(), [], ""
    request.user_name, request.kernel_slug = ref.split("/")
    request.page_size, request.page_token = PAGE_SIZE, ""
    with asking(f"output of kernel {ref}"), api.build_kaggle_client() as kaggle:
        while True:
            response = kaggle.kernels.kernels_api_client.list_kernel_session_output(request)
            files += [OutputFile(file.file_name, file.url) for file in response.files or () if file]
            log_text = log_text or response.log or ""
            if not response.next_page_token:
                return files, log_text
            request.page_token = response.next_page_token


def fetch_output(api: "KaggleApi", ref: str, out: Path, only: Collection[str] = ()) -> list[Path]:
    """Fetch a kernel's output and its log into a folder.

    Args:
        api: the client.
        ref: "owner/slug".
        out: the folder.
        only: paths to fetch; empty fetches all.

    Returns:
        the files written.

    Raises:
        PackagingError: if a file does not come whole, or its name points out of the folder.
    """
    files, log_text = list_output(api, ref)
    written = [_fetch(file, ref, out) for file in files if not only or file.path in only]
    if log_text and not only:
        path = out / f"{ref.split('/')[1]}.log"
        with replacing(path) as temporary:
            temporary.write_text(log_text)
        written.append(path)
    return written


def _fetch(file: OutputFile, ref: str, out: Path) -> Path:
    what = f"file {file.path} of kernel {ref}"
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise PackagingError(what, wanted="a path below the working folder", got=repr(file.path))
    with asking(what), requests.get(file.url, stream=True, timeout=SECONDS_BETWEEN_BYTES) as response:
        response.raise_for_status()
        with replacing(out / path) as temporary, temporary.open("wb") as stream:
            for block in response.iter_content(2**20):
                stream.write(block)
    return out / path

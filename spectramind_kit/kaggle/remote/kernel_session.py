"""What Kaggle reports of a kernel: how its latest session is doing, and which version is its current one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking
from spectramind_kit.kaggle.remote.polling import PollingPolicy, wait_until

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

COMPLETE = "COMPLETE"
BROKEN = ("ERROR", "CANCEL_REQUESTED", "CANCEL_ACKNOWLEDGED")


@dataclass(frozen=True)
class KernelState:
    """State of a kernel's latest session.

    Attributes:
        status: Kaggle's word for it.
        message: why it failed; "" if it did not.
    """

    status: str
    message: str

    @property
    def is_broken(self) -> bool:
        """True if the session ended without success."""
        return self.status in BROKEN

    @property
    def is_over(self) -> bool:
        """True if the session has ended, well or badly."""
        return self.is_broken or self.status == COMPLETE

    def refuse_broken(self, ref: str) -> None:
        """Refuse a session that ended without success.

        Raises:
            PackagingError: with Kaggle's message.
        """
        if self.is_broken:
            remedy = f"read its log: `spectramind kernel output`, or https://www.kaggle.com/code/{ref}"
            raise PackagingError(f"session of kernel {ref}", wanted=COMPLETE, got=str(self), remedy=remedy)

    def __str__(self) -> str:
        return f"{self.status}: {self.message}" if self.message else self.status


def kernel_state(api: "KaggleApi", ref: str) -> KernelState:
    """Ask for the latest session of a kernel, "owner/slug"."""
    with asking(f"status of kernel {ref}"):
        report = api.kernels_status(ref)
    return KernelState(report.status.name, report.failure_message or "")


def session_status(api: "KaggleApi", ref: str, polling: PollingPolicy | None = None) -> KernelState:
    """Return how a kernel's latest session is doing now, or, with a polling policy, once it is complete.

    Raises:
        PackagingError: if it failed or was cancelled, or is not over in time.
    """
    if polling:
        return wait_for_kernel(api, ref, polling)
    state = kernel_state(api, ref)
    state.refuse_broken(ref)
    return state


def session_over(api: "KaggleApi", ref: str, polling: PollingPolicy) -> KernelState:
    """Wait until a kernel's latest session is over, well or badly.

    Raises:
        PackagingError: if it is not over in time.
    """
    what = f"session of kernel {ref}"
    return wait_until(lambda: kernel_state(api, ref), lambda state: state.is_over, polling, what, COMPLETE)


def wait_for_kernel(api: "KaggleApi", ref: str, polling: PollingPolicy) -> KernelState:
    """Wait until a kernel's latest session is complete.

    Args:
        api: the client.
        ref: "owner/slug" or "owner/slug/version".
        polling: how often to ask, and for how long.

    Raises:
        PackagingError: if it failed, was cancelled, or is not over in time.
    """
    name = "/".join(ref.split("/")[:2])
    state = session_over(api, name, polling)
    state.refuse_broken(name)
    return state


def check_version(api: "KaggleApi", ref: str, version: int) -> None:
    """Refuse to go on where the kernel has another version by now: status and output are the latest version's.

    Raises:
        PackagingError: naming both versions.
    """
    from kagglesdk.kernels.types.kernels_api_service import ApiGetKernelRequest

    request = ApiGetKernelRequest()
    request.user_name, request.kernel_slug = ref.split("/")
    with asking(f"kernel {ref}"), api.build_kaggle_client() as kaggle:
        metadata = kaggle.kernels.kernels_api_client.get_kernel(request).metadata
    current = metadata.current_version_number if metadata else 0
    if current and current != version:
        remedy = "somebody saved it elsewhere: push again, or name the version you mean with --version"
        raise PackagingError(f"kernel {ref}", wanted=f"version {version}, the one pushed", got=current, remedy=remedy)

"""Run a command offline, with chosen folders mounted at chosen paths: what a Kaggle session looks like from inside.

Linux namespaces do it where the system allows: the command sees a root of its own, in which ``/kaggle`` exists,
inputs are mounted read-only, hidden folders are empty and no network interface but the loopback is there. Nothing of
the host changes. This file is also the program that runs inside the new namespaces; it uses the standard library only.
See namespaces(7), mount_namespaces(7).
"""

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

NAMESPACES = {
    "namespaces as root": ("--mount", "--net"),
    "user namespaces": ("--user", "--map-root-user", "--mount", "--net"),
}
LOCKED_FLAGS = {os.ST_NOSUID: "nosuid", os.ST_NODEV: "nodev", os.ST_NOEXEC: "noexec"}
GET_FLAGS, SET_FLAGS, INTERFACE_UP = 0x8913, 0x8914, 0x1


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, shown at a path of the session.

    Attributes:
        source: its path on the host.
        place: the absolute path it appears at.
        writable: whether the session may change it.
    """

    source: str
    place: str
    writable: bool = False


@dataclass(frozen=True)
class Stage:
    """The file system that a command sees.

    Attributes:
        mounts: what is mounted, and where.
        hidden: folders of the host that look empty.
        cwd: where the command starts.
        root: an empty folder that becomes its root.
    """

    mounts: tuple[Mount, ...]
    hidden: tuple[str, ...]
    cwd: str
    root: str


def offline_means() -> str | None:
    """Return the strongest namespaces that this system allows, by trying; None if it allows none."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        root, hidden = Path(folder, "root"), Path(folder, "hidden")
        root.mkdir()
        hidden.mkdir()
        probe = Stage((Mount(str(hidden), "/kaggle/input"),), (str(hidden.resolve()),), "/kaggle/input", str(root))
        for means in NAMESPACES:
            done = subprocess.run(command_in_namespaces(means, probe, ["true"]), capture_output=True, timeout=60)
            if done.returncode == 0:
                return means
    return None


def command_in_namespaces(means: str, stage: Stage, command: Sequence[str]) -> list[str]:
    """Return the command line that runs a command on a stage, in namespaces of its own."""
    return ["unshare", *NAMESPACES[means], sys.executable, "-I", __file__, json.dumps(asdict(stage)), *command]


def enter(stage: Mapping, command: Sequence[str]) -> None:
    """Build the stage's root, move into it and become the command. Runs inside the new namespaces."""
    root = stage["root"]
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "tmpfs", root)
    for entry in os.scandir("/"):
        _mirror(entry, root)
    for mount in stage["mounts"]:
        _bind(mount["source"], root + mount["place"], mount["writable"])
    for folder in stage["hidden"]:
        _mount("-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", root + folder)
    _make_read_only(root)
    _raise_loopback()
    os.chroot(root)
    os.chdir(stage["cwd"])
    os.execvp(command[0], list(command))


def _mirror(entry: os.DirEntry, root: str) -> None:
    """Show a top-level entry of the host at the same path of the new root."""
    place = os.path.join(root, entry.name)
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), place)
    elif entry.is_dir():
        os.mkdir(place)
        _mount("--rbind", entry.path, place)


def _bind(source: str, place: str, writable: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        open(place, "w").close()
    _mount("--bind", source, place)
    if not writable:
        _make_read_only(place)


def _make_read_only(place: str) -> None:
    """Remount read-only; flags that a user namespace may not drop stay."""
    flags = os.statvfs(place).f_flag
    locked = [name for flag, name in LOCKED_FLAGS.items() if flags & flag]
    _mount("-o", ",".join(["remount", "bind", "ro", *locked]), place)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _raise_loopback() -> None:
    """Bring the loopback interface up: notebook and kernel talk over it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(probe, GET_FLAGS, request))
        fcntl.ioctl(probe, SET_FLAGS, struct.pack("16sH14x", b"lo", flags | INTERFACE_UP))


if __name__ == "__main__":
    enter(json.loads(sys.argv[1]), sys.argv[2:])

"""Run a command offline, with chosen folders mounted at chosen paths: what a Kaggle session looks like from inside.

Linux namespaces do it where the system allows: the command sees a root that is empty but for the system's own folders
and what is mounted, inputs are read-only, and no network interface but the loopback is there. It sees no process of the
host, whose ``/proc/PID/root`` would lead out, and has no capability with which mounts could be undone, even as root.
Nothing of the host changes. This file is also the program that runs inside the new namespaces; it uses the standard
library only. See namespaces(7), mount_namespaces(7), pid_namespaces(7), pivot_root(2), capabilities(7).
"""

import ctypes
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
    "namespaces as root": ("--mount", "--net", "--pid", "--fork", "--kill-child"),
    "user namespaces": ("--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"),
}
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt/nvidia", "/sys")
"""Folders of the host that every session has under the same names, read-only."""
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kfd", "dri")
DEVICE_PREFIX = "nvidia"
SCRATCH = ("/tmp", "/run", "/var/tmp", "/dev/shm")
"""Folders that are empty and can be written to."""
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, LAST_CAPABILITY = 24, 38, 63
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
        shown: files and folders of the host that it sees at the same path, read-only: where its Python lies.
    """

    mounts: tuple[Mount, ...]
    hidden: tuple[str, ...]
    cwd: str
    root: str
    shown: tuple[str, ...] = ()


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


def enter(stage: Mapping, command: Sequence[str]) -> int:
    """Build the stage's root, move into it and run the command there. Runs inside the new namespaces.

    Returns:
        exit status of the command.
    """
    root = stage["root"]
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
    for folder in SYSTEM:
        _mirror(folder, root)
    for folder in SCRATCH:
        os.makedirs(root + folder, exist_ok=True)
        _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root + folder)
    _add_devices(root)
    _add_processes(root)
    for path in stage["shown"]:
        _bind(path, root + path, writable=False)
    for mount in stage["mounts"]:
        _bind(mount["source"], root + mount["place"], mount["writable"])
    for folder in stage["hidden"]:
        if os.path.isdir(root + folder):
            _mount("-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", root + folder)
    _make_read_only(root)
    _raise_loopback()
    _move_into(root)
    os.chdir(stage["cwd"])
    _drop_capabilities()
    return _run_as_child(command)


def _mirror(path: str, root: str) -> None:
    """Show a folder of the host, or the link that it is, at the same path of the new root."""
    if os.path.islink(path):
        os.symlink(os.readlink(path), root + path)
    elif os.path.isdir(path):
        os.makedirs(root + path)
        _mount("--rbind", path, root + path)
        _make_read_only(root + path)


def _add_devices(root: str) -> None:
    """Show the devices that programs expect, and graphics cards where there are any."""
    names = [name for name in os.listdir("/dev") if name in DEVICES or name.startswith(DEVICE_PREFIX)]
    for name in names:
        _bind(f"/dev/{name}", f"{root}/dev/{name}", writable=True)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{root}/dev/{name}")


def _add_processes(root: str) -> None:
    """Show the processes of the new namespace alone.

    Where a container masks parts of the host's ``/proc``, a user namespace may not mount one of its own; it has no
    rights over the host's processes there, so that the host's is shown.
    """
    os.makedirs(root + "/proc", exist_ok=True)
    if subprocess.run(["mount", "-t", "proc", "proc", root + "/proc"], stderr=subprocess.DEVNULL).returncode:
        _mount("--rbind", "/proc", root + "/proc")


def _move_into(root: str) -> None:
    """Make a folder the root of the namespace and let go of the host's, or, on a root that cannot, change root."""
    os.chdir(root)
    if (
        shutil.which("pivot_root")
        and not subprocess.run(["pivot_root", ".", "."], stderr=subprocess.DEVNULL).returncode
    ):
        subprocess.run(["umount", "-l", "."], check=True)
        os.chdir("/")
        return
    os.chroot(root)


def _drop_capabilities() -> None:
    """Give up every right of root, for good: what is executed afterwards cannot have them back."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # an error for those that this kernel has not
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def _run_as_child(command: Sequence[str]) -> int:
    """Run the command and stay its parent: the first process of a namespace collects those that nobody waits for."""
    child = os.fork()
    if child == 0:
        try:
            os.execvp(command[0], list(command))
        finally:
            os._exit(127)
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) % 256


def _bind(source: str, place: str, writable: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not os.path.exists(place):
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
    sys.exit(enter(json.loads(sys.argv[1]), sys.argv[2:]))

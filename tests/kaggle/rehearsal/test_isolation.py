"""Namespaces, refused sockets and the linked environment, each by itself."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from spectramind_kit.kaggle.rehearsal import socket_refusal
from spectramind_kit.kaggle.rehearsal.image_environment import image_distributions, installed_distributions, links
from spectramind_kit.kaggle.rehearsal.isolation import NAMESPACES, Mount, Stage, command_in_namespaces, offline_means


@pytest.mark.parametrize("means", NAMESPACES)
def test_stage_shows_mounts_and_hides_the_rest(tmp_path, means):
    source, secret, working, root = (tmp_path / name for name in ("source", "secret", "working", "root"))
    for folder in (source, secret, working, root):
        folder.mkdir()
    (source / "table.csv").write_text("1,2")
    (secret / "truth.csv").write_text("3")
    mounts = (
        Mount(str(source / "table.csv"), "/kaggle/input/c/table.csv"),
        Mount(str(working), "/kaggle/working", True),
    )
    stage = Stage(mounts, (str(secret),), "/kaggle/working", str(root))
    script = f"""
        cat /kaggle/input/c/table.csv > copy.csv
        ls {secret} > secret.txt
        echo 4 > /kaggle/input/c/table.csv
        echo 4 > /kaggle/input/c/other.csv
        echo 4 > /kaggle/other.csv
        cat /proc/net/dev | tail -n +3 | cut -d: -f1 > interfaces.txt
    """
    done = subprocess.run(command_in_namespaces(means, stage, ["sh", "-c", script]), capture_output=True, text=True)
    if not (working / "copy.csv").exists():
        pytest.skip(f"this system does not allow {means}: {done.stderr.splitlines()[-1]}")

    assert (working / "copy.csv").read_text() == "1,2"
    assert (working / "secret.txt").read_text() == ""
    assert done.stderr.count("Read-only file system") == 3
    assert (working / "interfaces.txt").read_text().split() == ["lo"]
    assert (source / "table.csv").read_text() == "1,2" and list(root.iterdir()) == []


ESCAPES = """
import ctypes, glob, os, sys
truth = sys.argv[1]
ways = [truth, *glob.glob(f"/proc/[0-9]*/root{truth}"), *glob.glob(f"/proc/[0-9]*/cwd/../{os.path.basename(truth)}")]
libc = ctypes.CDLL(None, use_errno=True)
for kind in ("mnt", "pid"):
    for place in glob.glob(f"/proc/[0-9]*/ns/{kind}"):
        try:
            libc.setns(os.open(place, os.O_RDONLY), 0)
        except OSError:
            pass
os.system("umount -l / 2>/dev/null; umount -l /proc 2>/dev/null; mount -t tmpfs none /mnt 2>/dev/null")
try:
    os.mkdir("/tmp/deeper")
    os.chroot("/tmp/deeper")
    os.chdir("../" * 20)
    os.chroot(".")
    print("changed root")
except OSError:
    pass
print(*[way for way in [*ways, truth] if os.path.exists(way)])
print(open("/proc/self/status").read().split("CapEff:")[1].split()[0].strip("0"))
print(*[name for name in ("/root", "/home", "/srv", "/work") if os.path.isdir(name) and os.listdir(name)])
"""


def test_nothing_leads_out_of_the_stage(tmp_path):
    """As root too: no process of the host, no capability, no folder that Kaggle has not."""
    secret, working, root = (tmp_path / name for name in ("secret", "working", "root"))
    for folder in (secret, working, root):
        folder.mkdir()
    (secret / "truth.csv").write_text("3")
    means = offline_means()
    if means is None:
        pytest.skip("this system allows no namespaces")
    stage = Stage((Mount(str(working), "/kaggle/working", True),), (), "/kaggle/working", str(root), ("/usr",))
    command = ["/usr/bin/python3", "-c", ESCAPES, str(secret / "truth.csv")]
    done = subprocess.run(command_in_namespaces(means, stage, command), capture_output=True, text=True)
    if not Path(command[0]).exists():
        pytest.skip("no Python under /usr")
    assert done.stdout.split("\n") == ["", "", "", ""], done.stderr


def test_the_status_of_the_command_is_that_of_the_stage(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    means = offline_means()
    if means is None:
        pytest.skip("this system allows no namespaces")
    stage = Stage((), (), "/tmp", str(root))
    assert subprocess.run(command_in_namespaces(means, stage, ["sh", "-c", "exit 7"])).returncode == 7
    background = "sleep 1000 & exit 0"  # nobody waits for it; it ends with the namespace
    assert subprocess.run(command_in_namespaces(means, stage, ["sh", "-c", background]), timeout=60).returncode == 0


def test_the_stage_of_the_first_test_leaves_the_host_as_it_was():
    assert not Path("/kaggle/input/c/table.csv").exists()


def test_means_without_unshare_is_none(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)

    assert offline_means() is None


def test_refused_sockets_leave_the_loopback_alone(tmp_path):
    packages, customized = tmp_path / "packages", tmp_path / "customized"
    packages.mkdir()
    customized.mkdir()
    socket_refusal.refuse_in(packages)
    (customized / "sitecustomize.py").write_text("# as Debian's Python has one, which hides any other")
    code = f"""
import site
site.addsitedir({str(packages)!r})
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
socket.getaddrinfo("localhost", 80)
for act in (
    lambda: socket.create_connection(("192.0.2.1", 80)),
    lambda: socket.socket().connect_ex(("192.0.2.1", 80)),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 80)),
    lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80, 0, 0)),
):
    try:
        act()
    except OSError as error:
        print(error.errno, "offline" in str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(customized)}, capture_output=True, text=True
    )

    assert done.stdout.split("\n")[:-1] == ["101 True"] * 5, done.stderr
    assert socket.socket.connect.__name__ == "connect", "this process must stay as it was"


class Distribution:
    """A distribution with files, as importlib.metadata describes one."""

    def __init__(self, root, name, *files):
        self.root, self.metadata, self.files = root, {"Name": name}, [Path(file) for file in files]
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text("")

    def locate_file(self, path):
        return self.root / path


def test_links_show_whole_folders_but_split_shared_ones(tmp_path):
    chosen = Distribution(tmp_path, "a", "a/__init__.py", "a/b/c.py", "shared/a.py", "single.py", "../../bin/a")
    other = Distribution(tmp_path, "o", "shared/o.py", "o/__init__.py")
    found = links(cast(list, [chosen]), cast(list, [chosen, other]))

    assert sorted(map(str, found)) == ["a", "shared/a.py", "single.py"]
    assert found[Path("a")] == tmp_path / "a"


def test_image_has_what_it_requires_but_not_what_it_lacks(target):
    names = image_distributions(target, installed_distributions())

    assert {"papermill", "nbclient", "ipykernel", "numpy"} <= names
    assert not names & {"spectramind-kit", "hydra-core", "torch", "unheard-of-package"}

"""Refuse every connection that leaves this machine, inside Python: the dry run's second choice.

Where the system allows no network namespace, this file is copied into the rehearsal's virtual environment, and every
Python process of it starts so. Weaker than a namespace: programs that are not Python pass. The copy uses the standard
library only.
"""

import errno
import ipaddress
import shutil
import socket
from pathlib import Path


def refuse_in(site_packages: Path) -> None:
    """Refuse the network to every Python process that starts with this folder of packages.

    By a ``.pth`` file, since a ``sitecustomize.py`` there is hidden by one beside the standard library, as Debian's is.
    """
    module = Path(__file__).stem
    shutil.copy(__file__, site_packages)
    (site_packages / f"{module}.pth").write_text(f"import {module}; {module}.refuse_network()\n")


def refuse_network() -> None:
    """Replace the socket calls that reach out; the loopback and local sockets keep working."""

    def guarded(call, address_of):
        def guard(*arguments, **keywords):
            _refuse_outside(address_of(arguments))
            return call(*arguments, **keywords)

        return guard

    def second(arguments):
        return arguments[1] if len(arguments) > 1 else None

    def last(arguments):
        return arguments[-1]  # sendto(data, address) or sendto(data, flags, address)

    def host(arguments):
        return (arguments[0], 0)

    for name, address_of in (("connect", second), ("connect_ex", second), ("sendto", last)):
        setattr(socket.socket, name, guarded(getattr(socket.socket, name), address_of))
    setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, host))  # noqa: B010, the type of a module is fixed


def _refuse_outside(address: object) -> None:
    """Raise as a machine without a network does, unless the address is local."""
    if not isinstance(address, tuple):
        return
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in (None, "", "localhost"):
        return
    try:
        local = ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        local = False
    if not local:
        raise OSError(errno.ENETUNREACH, f"the rehearsal is offline, refused {host}")

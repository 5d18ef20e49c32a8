"""Refuse every connection that leaves this machine, inside Python: the rehearsal's second choice.

Where the system allows no network namespace, this file becomes the ``sitecustomize.py`` of the rehearsal's virtual
environment, so that every Python process of it starts so. Weaker than a namespace: programs that are not Python pass.
"""

import errno
import ipaddress
import socket


def refuse_network() -> None:
    """Replace the socket calls that reach out; the loopback and local sockets keep working."""

    def guarded(call, position):
        def guard(*arguments, **keywords):
            _refuse_outside(arguments[position] if len(arguments) > position else None)
            return call(*arguments, **keywords)

        return guard

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, guarded(getattr(socket.socket, name), 1))
    send = socket.socket.sendto
    socket.socket.sendto = lambda self, data, *rest: (_refuse_outside(rest[-1]), send(self, data, *rest))[1]
    lookup = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **keywords: (
        _refuse_outside((host, 0)),
        lookup(host, *rest, **keywords),
    )[1]


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


if __name__ == "sitecustomize":
    refuse_network()

"""The official ``kaggle`` client, as a library: opened once, its silence and its exceptions turned into messages.

The client's commands exit with 0 on most failures and print what went wrong, so its response objects are read
instead. Credentials are its own business: environment variables, ``kaggle.json`` or an access token.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.client_rules import refuse_old_client

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi
    from requests import HTTPError

log = logging.getLogger(__name__)

REMEDIES = {
    400: "correct what the message names",
    401: "sign in: set KAGGLE_USERNAME and KAGGLE_KEY, or KAGGLE_API_TOKEN, or put kaggle.json into ~/.kaggle",
    403: "check that the owner is you, and that your account is verified and has accepted the competition's rules",
    404: "check owner and name; make it first if it does not exist yet",
    429: "wait some minutes: too many requests",
}
SERVER_TROUBLE = "the trouble is Kaggle's: try again in some minutes"
NO_RESPONSE = "check the network and try again; where something was sent, ask for its status first"


def open_client() -> "KaggleApi":
    """Return the authenticated client.

    Raises:
        PackagingError: if the client is not installed, too old, or finds no credentials.
    """
    refuse_old_client()
    try:
        with client_output():
            from kaggle import api

            api.authenticate()
    except ImportError as error:
        remedy = "pip install 'spectramind-kit[kaggle]' (the client needs six and does not declare it)"
        raise PackagingError("Kaggle client", wanted="the package kaggle", got=str(error), remedy=remedy) from error
    except SystemExit as end:
        raise PackagingError("Kaggle credentials", got="none", remedy=REMEDIES[401]) from end
    return api


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever the client raises within the block into an error about ``what``.

    Raises:
        PackagingError: with the server's response and what to do about it.
    """
    import requests

    try:
        with client_output():
            yield
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        remedy = REMEDIES.get(status, SERVER_TROUBLE if status >= 500 else "")
        raise PackagingError(what, got=f"HTTP {status}: {_message(error)}", remedy=remedy) from error
    except requests.exceptions.RequestException as error:
        got = f"no whole response ({type(error).__name__}: {str(error)[:200]})"
        raise PackagingError(what, got=got, remedy=NO_RESPONSE) from error
    except (ValueError, KeyError) as error:
        raise PackagingError(what, got=f"refused by the client: {error}") from error


@contextlib.contextmanager
def client_output() -> Iterator[io.StringIO]:
    """Capture what the client prints, so that the standard output is ours: it goes to the log, and to the block."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            yield output
    finally:
        for line in output.getvalue().splitlines():
            log.debug("kaggle: %s", line)


def http_status(error: PackagingError) -> int | None:
    """Return the HTTP status that an error of ``asking`` came from, None if it came from none."""
    response = getattr(error.__cause__, "response", None)
    return None if response is None else response.status_code


def _message(error: "HTTPError") -> str:
    """Return the server's own message where it has one, else the client's."""
    try:
        return str(error.response.json()["message"]) if error.response is not None else str(error)[:300]
    except (ValueError, KeyError, TypeError):
        return str(error)[:300]

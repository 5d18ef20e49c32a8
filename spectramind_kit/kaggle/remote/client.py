"""The official ``kaggle`` client, as a library: opened once, its silence and its exceptions turned into sentences.

The client's commands exit with 0 on most failures and print what went wrong, so its response objects are read
instead. Credentials are its own business: environment variables, ``kaggle.json`` or an access token.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)

REMEDIES = {
    400: "correct what the message names",
    401: "sign in: set KAGGLE_USERNAME and KAGGLE_KEY, or KAGGLE_API_TOKEN, or put kaggle.json into ~/.kaggle",
    403: "check that the owner is you, and that your account is verified and has accepted the competition's rules",
    404: "check owner and name; make it first if it does not exist yet",
    429: "wait some minutes: too many requests",
}
SERVER_TROUBLE = "the trouble is Kaggle's: try again in some minutes"
NO_ANSWER = "check the network and try again; where something was sent, ask for its status first"


def open_client() -> "KaggleApi":
    """Return the authenticated client.

    Raises:
        PackagingError: if the client is not installed or finds no credentials.
    """
    try:
        with said_by_client():
            from kaggle import api

            api.authenticate()
    except ImportError as error:
        remedy = "pip install 'spectramind-kit[kaggle]' (the client needs six and does not say so)"
        raise PackagingError("Kaggle client", wanted="the package kaggle", got=str(error), remedy=remedy) from error
    except SystemExit as end:
        raise PackagingError("Kaggle credentials", got="none", remedy=REMEDIES[401]) from end
    return api


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever the client raises within the block into a sentence about ``what``.

    Raises:
        PackagingError: with the server's answer and what to do about it.
    """
    import requests

    try:
        with said_by_client():
            yield
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code
        remedy = REMEDIES.get(status, SERVER_TROUBLE if status >= 500 else "")
        raise PackagingError(what, got=f"HTTP {status}: {_message(error)}", remedy=remedy) from error
    except requests.exceptions.RequestException as error:
        got = f"no whole answer ({type(error).__name__}: {str(error)[:200]})"
        raise PackagingError(what, got=got, remedy=NO_ANSWER) from error
    except (ValueError, KeyError) as error:
        raise PackagingError(what, got=f"refused by the client: {error}") from error


@contextlib.contextmanager
def said_by_client() -> Iterator[io.StringIO]:
    """Keep what the client prints off the standard output: it goes to the log, and to the block."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            yield said
    finally:
        for line in said.getvalue().splitlines():
            log.debug("kaggle: %s", line)


def http_status(error: PackagingError) -> int | None:
    """Return the HTTP status that an error of ``asking`` came from, None if it came from none."""
    response = getattr(error.__cause__, "response", None)
    return None if response is None else response.status_code


def _message(error: Exception) -> str:
    """Return the server's own words where it has some, else the client's."""
    try:
        return str(error.response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)[:300]

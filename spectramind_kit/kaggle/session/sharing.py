"""Make a report fit to be shown to everybody: no path of a machine, no name of a user or a host, no secret.

Pictures, and what a page carries packed, travel as base64 text and are left as they are: their words are cleaned
before they are packed. Everything else is searched twice: once to replace, once to check that nothing is left.
"""

import platform
import re
from collections.abc import Callable, Collection
from pathlib import Path

from spectramind_kit.environment import home_folder, login_name
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import input_root

PICTURE = re.compile(r"(data:(?:image/[a-z+]+|application/gzip);base64,[A-Za-z0-9+/=]+)")
"""What is carried as base64 text."""
PATH = re.compile(
    r"(?<![\w</.&])/(?:[\w.@+~%=,$-]+/)+[\w.@+~%=,$-]*"  # two steps or more; no end of an HTML tag, and no ratio
    r"|~\w*/[\w.@+~%=,$/-]+"
    r"|\b[A-Za-z]:\\[^\s\"'<>|]+"
    r"|\\\\[\w.-]+\\[^\s\"'<>|]+"
)
"""A path of a machine: from the root, from a home, of Windows, of a share."""
ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s/\"'<>]*)([^\s\"'<>]*)", re.IGNORECASE)
KNOWN_HOSTS = {"github.com", "www.kaggle.com", "kaggle.com", "doi.org", "arxiv.org", "www.w3.org", "pypi.org"}
"""Hosts on the web that everybody may be pointed to."""
SECRETS = {
    "somebody@example": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "a host": re.compile(
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])(?::\d+)?|\b[\w-]+(?:\.[\w-]+)*\.(?:local|internal|lan)\b"
    ),
    "a variable": re.compile(r"\$\{oc\.(?:env|decode)[^}]*\}|\$\{?[A-Z][A-Z0-9_]{2,}\}?"),
    "a secret": re.compile(
        r"\b(?:gh[pousr]_|github_pat_|hf_|sk-|xox[abprs]-|AKIA|ASIA|AIza|glpat-|KGAT_|npm_|pypi-|ya29\.)[\w.-]{8,}"
        r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*"  # JSON web tokens
        r"|\b(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])\b"  # keys of Kaggle's interface
        r"|-----BEGIN [A-Z ]+-----"
    ),
}
"""What must not be shown, by what stands in for it."""
ASSIGNED_SECRET = re.compile(
    r"(?i)(\b[\w-]*(?:token|passw(?:or)?d|secret|api[_-]?key|credential)[\w-]*(?:\"|&#34;|&quot;)?\s*[=:]\s*"
    r"(?:\"|&#34;|&quot;|')?|\bbearer\s+)([^\s\"'&<>,;]{4,})"
)
"""A value that its name calls a secret."""
PUBLIC = {"", "root", "kaggle", "jovyan", "nobody", "localhost", "spectramind"}
"""Names that identify nobody: of accounts that every such machine has, and the project's own."""
_HIDDEN = "hidden"
OWNER_KINDS = ("datasets", "notebooks", "models")
"""Folders of the input root below which owners' folders lie."""


def share_report(report: Path, out: Path, owner: str = "") -> Path:
    """Write a copy of a report without paths and names, and return its path.

    Args:
        report: the HTML file.
        out: folder to write it into, under its own name.
        owner: a Kaggle user's name that must not appear, beside those found.

    Raises:
        PackagingError: if a path or a name is left.
    """
    names = private_names({owner})
    text = without_private(report.read_text(), names)
    left = private_parts(text, names)
    if left:
        raise PackagingError(
            f"report {report.name}", wanted="no path and no name", got=left[:5], remedy="do not share it"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / report.name).write_text(text)
    return out / report.name


def cleaner(owner: str = "") -> Callable[[str], str]:
    """Return what takes paths, names and secrets out of a text before it is packed into a report.

    Args:
        owner: a Kaggle user's name that must not appear, beside those found.
    """
    names = private_names({owner})
    return lambda text: without_private(text, names)


def private_names(more: Collection[str] = ()) -> set[str]:
    """Return the names that must not be shown: login, host, and owners of what is attached."""
    owners = {path.name for kind in OWNER_KINDS for path in input_root().glob(f"{kind}/*") if path.is_dir()}
    home = home_folder()
    user = {login_name(), home.name if home else "", platform.node(), platform.node().partition(".")[0]}
    return (user | owners | set(more)) - PUBLIC


def without_private(text: str, names: Collection[str]) -> str:
    """Return the text with paths cut to their last step, names and secrets replaced, outside of pictures."""
    return "".join(part if PICTURE.fullmatch(part) else _cleaned(part, names) for part in PICTURE.split(text))


def private_parts(text: str, names: Collection[str]) -> list[str]:
    """Return the paths, addresses, secrets and names in a text, outside of pictures."""
    words = PICTURE.sub("", text)
    found = [match.group() for match in ADDRESS.finditer(words) if not _is_known(match)]
    without = ADDRESS.sub("", words)
    found += [match.group() for match in PATH.finditer(without)]
    found += [match.group() for pattern in SECRETS.values() for match in pattern.finditer(without)]
    found += [match.group() for match in ASSIGNED_SECRET.finditer(without) if match.group(2) != _HIDDEN]
    return found + [name for name in sorted(names) if _whole_word(name).search(words)]


def _cleaned(text: str, names: Collection[str]) -> str:
    text = ADDRESS.sub(lambda match: match.group() if _is_known(match) else _last_step(match.group(3)), text)
    text = ASSIGNED_SECRET.sub(rf"\1{_HIDDEN}", text)
    for stand_in, pattern in SECRETS.items():
        text = pattern.sub(stand_in, text)
    text = PATH.sub(lambda match: _last_step(match.group()), text)
    for name in sorted(names, key=len, reverse=True):
        text = _whole_word(name).sub("somebody", text)
    return text


def _is_known(match: re.Match) -> bool:
    """Whether an address is one on the web that everybody may see, without a user's name or a question in it."""
    scheme, host, rest = match.groups()
    return scheme.lower() in ("http", "https") and host.lower() in KNOWN_HOSTS and not re.search(r"[?@]", rest)


def _last_step(path: str) -> str:
    """Return the last step of a path, which names a file and nothing above it."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or "an address"


def _whole_word(name: str) -> re.Pattern:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)

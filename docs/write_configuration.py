"""Write configuration.md beside this file: every setting, from the settings' own docstrings, types and ranges.

    python docs/write_configuration.py

A test compares the page with the settings.
"""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from spectramind_kit.config import Config, choices, load_config
from spectramind_kit.settings.descriptions import Setting, describe_settings

PAGE = Path(__file__).with_name("configuration.md")
_HEAD = """# Configuration

Every setting, with the value as it is shipped. Set one after any command, `fit.drift_order=4`; take a whole group by
its name, `model=v50_small`; a set of settings by a profile, `profile=laptop`. `spectramind config explain KEY` says the
same in the terminal, `spectramind config search WORD` searches, `spectramind config show` prints what overrides make of
all. This page is written by `make docs`.
"""


def configuration_page() -> str:
    """Return the page."""
    settings = describe_settings(Config, load_config())
    parts = [_HEAD, _names()]
    for group, members in groupby(sorted(settings, key=_group), key=_group):
        parts += [f"## {group or 'Everywhere'}", _table(members)]
    return "\n".join(parts)


def _group(setting: Setting) -> str:
    return setting.key.rpartition(".")[0].partition(".")[0]


def _names() -> str:
    """Return the groups that have more than one set of values, and the names of these."""
    rows = [
        f"| `{group}` | {', '.join(f'`{name}`' for name in sorted(names))} |"
        for group, names in sorted(choices().items())
        if len(names) > 1
    ]
    return "\n".join(["| group | its names |", "|---|---|", *rows, ""])


def _table(settings: Iterable[Setting]) -> str:
    return "\n".join(["", "| key | meaning | values | shipped |", "|---|---|---|---|", *map(_row, settings), ""])


def _row(setting: Setting) -> str:
    meaning, values = _cell(setting.meaning), _cell(setting.range)
    return f"| `{setting.key}` | {meaning} | {values} | `{_value(setting.shipped)}` |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{','.join(map(str, value))}]"
    return '""' if value == "" else str(value)


if __name__ == "__main__":
    PAGE.write_text(configuration_page())

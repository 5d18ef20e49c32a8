"""``spectramind config``: the composed settings, and what each of them means."""

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectramind_kit.commands.options import AsJson, Overrides, answer, by_default, complete_override, composed
from spectramind_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from spectramind_kit.settings.descriptions import Setting


HELP = "Show the composed configuration (as JSON), search its keys, explain one."
config = typer.Typer(cls=by_default("show"), help=HELP)

_SHOWN_MEANING = 88


@config.command("show")
def show(overrides: Overrides = None) -> None:
    """Print the composed configuration as JSON."""
    import dataclasses

    answer(True, dataclasses.asdict(composed(overrides)), ())


@config.command("search")
def search(
    words: Annotated[list[str], typer.Argument(help="All of them must be in the key, its meaning or its choices.")],
    as_json: AsJson = False,
) -> None:
    """List the keys that have to do with something."""
    from spectramind_kit.settings.descriptions import search_settings

    found = search_settings(_settings(), " ".join(words))
    if not found:
        raise ConfigurationError(f"keys about {' '.join(words)!r}", wanted="one at least", got="none")
    lines = [f"{each.key}={_text(each.shipped)}\n    {_cut(each.meaning)}" for each in found]
    answer(as_json, [_facts(each) for each in found], lines)


@config.command("explain")
def explain(
    key: Annotated[str, typer.Argument(help="Such as fit.drift_order.", autocompletion=complete_override)],
    as_json: AsJson = False,
) -> None:
    """Explain a key, or all keys of a group: meaning, unit, range, choices, the value as it is shipped."""
    from spectramind_kit.config import choices

    key, settings = key.rstrip("="), _settings()
    found = [each for each in settings if each.key == key or each.key.startswith(f"{key}.")]
    if not found:
        near = difflib.get_close_matches(key, [each.key for each in settings], n=3, cutoff=0.0)
        remedy = f"did you mean {', '.join(near)}? `spectramind config search WORD` searches"
        raise ConfigurationError(f"configuration key {key!r}", wanted="a known one", got="none", remedy=remedy)
    names = [f"{key}=NAME: {', '.join(choices()[key])}"] if key in choices() else []
    answer(as_json, [_facts(each) for each in found], [*names, *(_explained(each) for each in found)])


def _settings() -> "list[Setting]":
    from spectramind_kit.config import Config, load_config
    from spectramind_kit.settings.descriptions import describe_settings

    return describe_settings(Config, load_config())


def _facts(setting: "Setting") -> dict[str, Any]:
    return {
        "key": setting.key,
        "meaning": setting.meaning,
        "unit": setting.unit,
        "kind": setting.kind,
        "range": [setting.low, setting.high],
        "choices": setting.choices,
        "shipped": setting.shipped,
    }


def _explained(setting: "Setting") -> str:
    unit = f" [{setting.unit}]" if setting.unit else ""
    lines = [f"{setting.key}: {setting.meaning}", f"    {setting.range}{unit}; shipped: {_text(setting.shipped)}"]
    return "\n".join(lines)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{','.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MEANING else f"{text[: _SHOWN_MEANING - 3]}..."

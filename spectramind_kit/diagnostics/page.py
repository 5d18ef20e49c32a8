"""The page: sections of figures and tables, a table of planets, a pane for each of them, all in one HTML file.

Words that come from elsewhere (what failed, how it was configured) may hold paths and names. ``clean`` takes them out
before they are packed, because afterwards nobody finds them.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from typing import Any

import jinja2
import numpy as np

from spectramind_kit.diagnostics.figure import Figure
from spectramind_kit.diagnostics.payload import packed_json, packed_plotly, rounded
from spectramind_kit.diagnostics.planet_rows import RUNG_WORDS, PlanetRow
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.summary import Paragraph

Clean = Callable[[str], str]
_PLANET = re.compile(r"\[\[(\w+)/(\d+)\]\]")
"""A planet in a sentence: split and number."""


_CODE = re.compile(r"`([^`]+)`")
"""Of the command line or the configuration."""


@dataclass(frozen=True)
class Table:
    """A small table.

    Attributes:
        title: above it; "" for none.
        head: of the columns.
        rows: of words.
        note: how to read it.
        words: places of columns of sentences, which break into lines.
    """

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        key: in addresses.
        title: its heading.
        intro: a sentence below it; "[[train/7]]" is a link to a planet.
        groups: figures below a heading each, "" for none.
        tables: above the figures.
        texts: title and content of what is folded away.
    """

    key: str
    title: str
    intro: str = ""
    groups: Sequence[tuple[str, Sequence[Figure]]] = ()
    tables: Sequence[Table] = ()
    texts: Sequence[tuple[str, str]] = ()

    @property
    def has_content(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.intro or self.tables or self.texts or any(figures for _, figures in self.groups))


@dataclass(frozen=True)
class Page:
    """All that a page shows.

    Attributes:
        name: of the run.
        subtitle: below the title.
        summary: in plain words.
        sections: of figures and tables.
        rows: of planets, in the order of the table.
        views: what is shown of each planet, in the same order.
        wavelength: (n_wavelength,) [um].
        in_depth: which planets are shown in depth, in a sentence.
    """

    name: str
    subtitle: str
    summary: Sequence[Paragraph]
    sections: Sequence[Section]
    rows: Sequence[PlanetRow]
    views: Sequence[PlanetView]
    wavelength: np.ndarray
    in_depth: str = ""


@dataclass(frozen=True)
class _Column:
    """A column of the table of planets; ``className`` "less" is left out on a phone."""

    key: str
    label: str
    unit: str = ""
    digits: int | None = None
    meaning: str = ""
    className: str = field(default="")


COLUMNS = (
    _Column("planet", "planet"),
    _Column("split", "set", meaning="test planets, or training planets as the other folds predict them"),
    _Column("score", "score", digits=3, meaning="what the planet adds to the score: 1 is ideal"),
    _Column("fit_score", "fit alone", digits=3, meaning="the same without the network", className="less"),
    _Column("depth", "depth", "%", 3, "mean predicted depth"),
    _Column("error", "rms error", "ppm", 0, "of all wavelengths"),
    _Column("sigma", "sigma", "ppm", 0, "median of AIRS-CH0"),
    _Column("fgs1_z", "FGS1", "in sigmas", 1, "predicted less true depth of FGS1", "less"),
    _Column("airs_z", "AIRS-CH0", "rms, in sigmas", 1, "over its wavelengths", "less"),
    _Column("beta", "beta", "20 min", 2, "excess of correlated noise in the residuals: 1 is white", "less"),
    _Column("rung", "rung", meaning="what the answer rests on"),
    _Column("reason", "why to look", className="words less", meaning="flags, problems, large errors and sigmas"),
)


def rendered(page: Page, clean: Clean = str) -> str:
    """Return the page as HTML.

    Args:
        page: what it shows.
        clean: takes out of a text what must not be shown.
    """
    page = cleaned(page, clean)
    charts: dict[str, str] = {}
    sections = []
    for section in page.sections:
        groups = []
        for title, figures in section.groups:
            keys = [f"{section.key}-{len(charts) + place}" for place in range(len(figures))]
            charts |= {key: packed_json(each.as_dict()) for key, each in zip(keys, figures)}
            groups.append((title, list(zip(keys, figures))))
        sections.append(replace(section, groups=groups))
    columns = [asdict(each) for each in COLUMNS if any(getattr(row, each.key) not in (None, "") for row in page.rows)]
    environment = _environment()
    pane = environment.get_template("pane.html")
    return environment.get_template("report.html").render(
        name=page.name,
        subtitle=page.subtitle,
        summary=page.summary,
        sections=sections,
        in_depth=page.in_depth,
        columns=columns,
        css=_source("report.css"),
        js=_source("report.js"),
        shared=json.dumps({"airs": rounded(page.wavelength[1:], 4)}),
        rows=packed_json([row.as_dict() | {"planet": str(row.planet)} for row in page.rows]),
        charts=json.dumps(charts),
        panes=json.dumps(
            {f"{row.split}/{row.planet}": _packed_pane(row, view, pane) for row, view in zip(page.rows, page.views)}
        ),
        plotly=packed_plotly(),
    )


def _packed_pane(row: PlanetRow, view: PlanetView, template: jinja2.Template) -> str:
    """Return a planet's pane, its words rendered and its figures by key."""
    charts, figures = {}, {}
    for step, shown in view.figures.items():
        figures[step] = []
        for each in shown:
            key = f"pane-{len(charts)}"
            charts[key] = each.as_dict()
            figures[step].append((key, each))
    words = template.render(row=row, view=view, rung=RUNG_WORDS[row.rung], figures=figures)
    return packed_json({"html": words, "charts": charts})


def cleaned(value: Any, clean: Clean) -> Any:
    """Return dataclasses, mappings and sequences with every text cleaned; figures hold words of ours alone.

    Args:
        value: of these, or a text.
        clean: takes out of a text what must not be shown.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Figure | np.ndarray) or value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {key: cleaned(each, clean) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(cleaned(each, clean) for each in value)
    return replace(value, **{name: cleaned(getattr(value, name), clean) for name in value.__dataclass_fields__})


def _linked(text: object) -> str:
    """Return a text as HTML, its planets as links to their panes, and what is between backticks as code."""
    linked = _PLANET.sub(r'<a href="#planet/\1/\2">planet \2</a>', html.escape(str(text)))
    return _CODE.sub(r"<code>\1</code>", linked)


def _environment() -> jinja2.Environment:
    loader = jinja2.FunctionLoader(_source)
    environment = jinja2.Environment(autoescape=True, loader=loader, trim_blocks=True, lstrip_blocks=True)
    environment.filters["linked"] = _linked
    return environment


def _source(name: str) -> str:
    return resources.files("spectramind_kit.diagnostics").joinpath(name).read_text()

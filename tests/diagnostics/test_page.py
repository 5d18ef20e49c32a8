"""The page: one file that needs nothing else, whose words cannot break it, and which hides what it must."""

import json
import re

import numpy as np
import pytest

from spectramind_kit.diagnostics.figure import Figure, line
from spectramind_kit.diagnostics.page import Page, Section, Table, rendered
from spectramind_kit.diagnostics.payload import unpacked
from spectramind_kit.diagnostics.planet_rows import PlanetRow
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.summary import Paragraph

SECRET = "/srv/ada/planets"
ROW = PlanetRow(7, "test", 1, "fit", 1.0, 40.0, 50.0, flags=("a <b>flag</b>",), problems=(f"{SECRET} is lost",))


@pytest.fixture(scope="module")
def page():
    """A page with one of everything."""
    figure = Figure("Curve", "A note.", [line([1, 2], np.array([1.0, 2.0]), "one", "$airs")])
    view = PlanetView({0: ("flat",)}, (), [], {"fit": [figure]}, [f"no frame: {SECRET}"])
    summary = [Paragraph("How good?", ("See [[test/7]] & `--planet 7`.",), "scores")]
    tables = [Table("Numbers", ("a", "b"), [("1", "<2>")], words=(1,))]
    section = Section("scores", "Scores", "An intro.", [("", [figure])], tables, [("Log", f"read {SECRET}")])
    return Page("run", "a subtitle", summary, [section], [ROW], [view], np.linspace(0.7, 3.9, 283))


def carried(html, name):
    return re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', html, re.DOTALL)[1]


def words(html):
    """All words of a page, those that are packed too."""
    panes = [unpacked(address) for address in json.loads(carried(html, "panes")).values()]
    return "\n".join([html, unpacked(carried(html, "rows")), *panes])


def test_a_page_is_one_file_that_fetches_nothing(page):
    html = rendered(page)
    assert not re.search(r'(?:src|href)="(?!#)', html) and "@import" not in html and "url(" not in html
    assert unpacked(carried(html, "plotly")).startswith("/**\n* plotly.js")


def test_every_figure_of_the_page_is_carried(page):
    html = rendered(page)
    charts = json.loads(carried(html, "charts"))
    assert set(re.findall(r'data-chart="([^"]*)"', html)) == set(charts)
    pane = json.loads(unpacked(json.loads(carried(html, "panes"))["test/7"]))
    assert set(re.findall(r'data-chart="([^"]*)"', pane["html"])) == set(pane["charts"])
    assert pane["charts"]["pane-0"]["data"][0]["y"] == [1, 2]


def test_words_from_elsewhere_cannot_become_html(page):
    html = rendered(page)
    pane = json.loads(unpacked(json.loads(carried(html, "panes"))["test/7"]))["html"]
    assert "&lt;2&gt;" in html and "a &lt;b&gt;flag&lt;/b&gt;" in pane
    assert '<a href="#planet/test/7">planet 7</a> &amp; <code>--planet 7</code>' in html


def test_what_must_not_be_shown_is_taken_out_before_it_is_packed(page):
    assert words(rendered(page)).count(SECRET) >= 3
    assert SECRET not in words(rendered(page, lambda text: text.replace(SECRET, "a folder")))


def test_columns_that_nobody_fills_are_left_out(page):
    keys = [column["key"] for column in json.loads(carried(rendered(page), "columns"))]
    assert "planet" in keys and "score" not in keys and "fgs1_z" not in keys

"""The site's pages: links lead from page to page, the notebook is one of them, nothing is fetched from elsewhere."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs")

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site():
    return SimpleNamespace(**runpy.run_path(str(PROJECT / "docs" / "site_pages.py")))


@pytest.mark.parametrize(
    "link, origin, page",
    [
        ("docs/kaggle.md#rehearse", "README.md", "kaggle.md#rehearse"),
        ("docs/tutorial.ipynb", "README.md", "tutorial.md"),
        ("CONTRIBUTING.md", "README.md", "contributing.md"),
        ("LICENSE", "README.md", "LICENSE.txt"),
        ("../benchmarks/RESULTS.md#faults", "docs/the-fit.md", "results.md#faults"),
        ("commands.md", "docs/kaggle.md", "commands.md"),
        ("#limits", "README.md", "#limits"),
        ("https://www.kaggle.com/docs/x.md", "README.md", "https://www.kaggle.com/docs/x.md"),
        ("setup.cfg", "README.md", "setup.cfg"),  # no page of the site: mkdocs says so
    ],
)
def test_links_between_files_become_links_between_pages(site, link, origin, page):
    assert site.with_page_links(f"a [word]({link}), [another](#here)", origin) == f"a [word]({page}), [another](#here)"


def test_every_file_beside_docs_that_has_a_page_exists(site):
    assert all((PROJECT / origin).is_file() for origin in site.ELSEWHERE)


def test_the_notebook_is_a_page_with_its_pictures(site):
    page = site.notebook_page(PROJECT / "docs" / site.NOTEBOOK)
    text = page.pop("tutorial.md")
    assert text.startswith("# From raw frames to a submission")
    assert len(page) > 3 and all(f"]({name})" in text and data.startswith(b"\x89PNG") for name, data in page.items())


def test_what_a_page_would_fetch_is_found(site):
    for tag in (
        '<script src="https://cdn.example/a.js">',
        '<link rel="stylesheet" href="http://fonts.example/b.css">',
        '<img alt="c" src="https://example/c.png">',
    ):
        assert len(site.fetched_from_elsewhere(f"<p>{tag}</p>")) == 1
    assert not site.fetched_from_elsewhere('<a href="https://example">d</a> <img src="e.png"> <script src="f.js">')

"""What the site has beside the pages of docs/: the README and its neighbours, and the tutorial as a page.

MkDocs calls these functions (``hooks`` in mkdocs.yml). Links are written as GitHub follows them, from file to file;
here they become links from page to page. A page that would fetch anything from elsewhere is a warning, which
``mkdocs build --strict`` takes for an error.
"""

import logging
import posixpath
import re
from pathlib import Path, PurePosixPath

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

PROJECT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "results.md",
    "LICENSE": "LICENSE.txt",
    "CITATION.cff": "CITATION.cff",
}
"""Files outside docs/, and what the site calls them."""
NOTEBOOK = "tutorial.ipynb"
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_FETCHED = re.compile(r"""<(?:script|img|iframe|link rel="(?:stylesheet|preconnect)")[^>]*(?:src|href)="https?:[^"]*""")

log = logging.getLogger("mkdocs.hooks.site_pages")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/, and the notebook's page with its pictures."""
    for origin, uri in ELSEWHERE.items():
        files.append(File.generated(config, uri, abs_src_path=str(PROJECT / origin)))
    for uri, content in notebook_page(PROJECT / "docs" / NOTEBOOK).items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between files lead from page to page."""
    names = {uri: origin for origin, uri in ELSEWHERE.items()}
    return with_page_links(markdown, names.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Warn of what a page would fetch from elsewhere: the site has to work without internet."""
    for found in fetched_from_elsewhere(output):
        log.warning("%s fetches %s", page.file.src_uri, found)
    return output


def notebook_page(notebook: Path) -> dict[str, str | bytes]:
    """Return an executed notebook as a page and its pictures, by the site's names."""
    name = notebook.stem
    source = nbformat.reads(notebook.read_text(), as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(source, {"unique_key": name, "output_files_dir": name})
    return {f"{name}.md": text, **{PurePosixPath(path).as_posix(): data for path, data in resources["outputs"].items()}}


def with_page_links(markdown: str, origin: str) -> str:
    """Return a page whose links between files of the project are links between pages of the site.

    Args:
        markdown: of the page.
        origin: the page's file, as the project names it, such as "docs/kaggle.md".
    """
    return _LINK.sub(lambda found: f"{found[1]}{_page_link(found[2], origin)}{found[3]}", markdown)


def fetched_from_elsewhere(html: str) -> list[str]:
    """Return the tags of scripts, pictures, frames and styles that lie elsewhere on the web."""
    return _FETCHED.findall(html)


def _page_link(target: str, origin: str) -> str:
    name, mark, anchor = target.partition("#")
    if not name or re.match(r"[a-z]+:", name):
        return target
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), name))
    if path == f"docs/{NOTEBOOK}":
        path = str(PurePosixPath(path).with_suffix(".md"))
    if path in ELSEWHERE:
        return ELSEWHERE[path] + mark + anchor
    return path.removeprefix("docs/") + mark + anchor if path.startswith("docs/") else target

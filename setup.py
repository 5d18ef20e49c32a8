"""What setup.cfg cannot say: the description for a package index, where links to files of the project lead nowhere."""

import re
from pathlib import Path

from setuptools import setup


def description(readme: str) -> str:
    """Return the README for a package index: without pictures, links to files as plain words; web links stay.

    Args:
        readme: Markdown.
    """
    text = re.sub(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+(\*.*\*\n+)?", "", readme, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


if __name__ == "__main__":
    setup(long_description=description(Path(__file__).with_name("README.md").read_text()))

"""``python -m spectramind_kit``: the command line."""

from spectramind_kit.cli import main

main()

"""Build the wheel dataset for Kaggle: ``spectramind wheels ...`` for a checkout where nothing is installed yet.

python build_dataset.py --help says every sub-command.
"""

import sys

from spectramind_kit.commands.wheels import main

if __name__ == "__main__":
    sys.exit(main(program="build_dataset.py"))

"""Train networks in a process that a launcher started: one of several on a machine, or on several machines.

    torchrun --nproc-per-node 2 -m spectramind_kit.training.launch WORK/training

``spectramind train training.devices=2`` does that by itself.
"""

import logging
import sys
from pathlib import Path

from spectramind_kit.errors import describe
from spectramind_kit.training.task import load_task
from spectramind_kit.training.train_network import FAILED_IN_PROCESS, LOGGED_BY_PROCESSES, train_members


def main(folder: Path) -> None:
    """Train what the task in ``folder`` wants; say in a line why that failed, which torchrun's own summary does not."""
    try:
        train_members(*load_task(folder))
    except Exception as error:
        sys.stderr.write(f"{FAILED_IN_PROCESS}{describe(error)}\n")
        raise


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOGGED_BY_PROCESSES + "%(message)s")
    main(Path(sys.argv[1]))

"""The trainer: what belongs to the caller stays as it was, and threads are few."""

import logging
import os
import random
import subprocess
import sys
import warnings

import numpy as np
import torch

from spectramind_kit.environment import available_cores
from spectramind_kit.training.trainer import capped_threads, quiet_lightning, seeded

STATE = """
import logging, warnings
names = ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric")
import pytorch_lightning
before = list(warnings.filters), [logging.getLogger(name).level for name in names]
import spectramind_kit.training.train_network
assert list(warnings.filters) == before[0], "warning filters"
assert [logging.getLogger(name).level for name in names] == before[1], "levels of loggers"
"""


def test_importing_leaves_warnings_and_loggers_alone():
    done = subprocess.run([sys.executable, "-c", STATE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_lightning_is_quiet_within_and_as_before_afterwards():
    chatty = logging.getLogger("lightning.pytorch")
    level, filters = chatty.level, list(warnings.filters)
    with quiet_lightning():
        assert chatty.level == logging.ERROR and warnings.filters != filters
    assert chatty.level == level and warnings.filters == filters


def test_seeds_repeat_and_the_caller_s_random_numbers_go_on():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state is what is tested
    random.seed(1)
    wanted = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state is what is tested
    random.seed(1)
    inside = []
    for _ in range(2):
        with seeded(7):
            inside.append(torch.rand(1).item())
    assert inside[0] == inside[1]
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == wanted  # noqa: NPY002
    assert "PL_GLOBAL_SEED" not in os.environ


def test_threads_are_no_more_than_cores_and_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(available_cores() + 3)
    try:
        with capped_threads():
            assert torch.get_num_threads() == available_cores()
        assert torch.get_num_threads() == available_cores() + 3
        torch.set_num_threads(1)
        with capped_threads():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

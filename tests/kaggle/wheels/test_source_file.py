"""What a source states of its build: torch among the tools, or an import of it in the set-up."""

import io
import tarfile

import pytest

from spectramind_kit.kaggle.wheels.source_file import builds_with_torch


def write_source(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"scan-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    "files, wants",
    [
        ({"pyproject.toml": '[build-system]\nrequires = ["setuptools", "torch>=2"]\n'}, True),
        ({"pyproject.toml": "[build-system]\nrequires = [\"Torch ; python_version > '3'\"]\n"}, True),
        ({"setup.py": "import os\nimport torch\n"}, True),
        ({"setup.py": "try:\n    from torch.utils import cpp_extension\nexcept ImportError:\n    pass\n"}, True),
        ({"pyproject.toml": "[build-system", "setup.py": "import torch as t\n"}, True),
        ({"pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n[project]\ndependencies = ["torch"]\n'}, False),
        ({"setup.py": "import setuptools\n# import torch\nimport torchdiffeq\n"}, False),
        ({"deep/setup.py": "import torch\n"}, False),
        ({}, False),
    ],
)
def test_what_a_set_up_wants_is_read_from_its_files(tmp_path, files, wants):
    assert builds_with_torch(write_source(tmp_path / "scan-1.0.tar.gz", files)) is wants


def test_other_files_state_nothing(tmp_path):
    (tmp_path / "scan-1.0.zip").write_bytes(b"import torch")

    assert not builds_with_torch(tmp_path / "scan-1.0.zip")

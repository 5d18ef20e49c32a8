"""Notebooks on disk: whatever lies there under the name of one is read, or named."""

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.kernel import check_kernel, notebook_path
from spectramind_kit.kaggle.rules.notebook_file import read_notebook
from spectramind_kit.kaggle.rules.parameters import parse_parameters


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"cells": 5}', '{"nbformat": 4}', "# %%\nprint(1)"])
def test_file_that_is_no_notebook_is_a_sentence_with_its_name(kernel, text):
    path = notebook_path(kernel)
    path.write_text(text)

    for act in (lambda: read_notebook(path), lambda: check_kernel(kernel), lambda: parse_parameters(["value=1"], path)):
        with pytest.raises(PackagingError, match="tiny.ipynb: wanted a Jupyter notebook, got .*notebooks"):
            act()


def test_missing_notebook_is_a_sentence(tmp_path):
    with pytest.raises(PackagingError, match="wanted the notebook none.ipynb, got no such file"):
        read_notebook(tmp_path / "none.ipynb")

"""Pictures that must not end a notebook."""

import pytest
from matplotlib.figure import Figure

from spectramind_kit.diagnostics.attempt import attempted, draw_stored
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.store import save_product
from tests.work_folder.test_growing_submission import spectrum


def test_a_picture_is_drawn_or_said_to_be_none(tmp_path, caplog):
    path, damaged = tmp_path / "one.npz", tmp_path / "two.npz"
    save_product(path, spectrum(7))
    damaged.write_bytes(path.read_bytes()[:500])
    assert isinstance(attempted(draw_stored, [path], Spectrum, lambda one: Figure()), Figure)
    for paths in ([], [damaged]):
        assert attempted(draw_stored, paths, Spectrum, lambda one: Figure()).startswith("no picture: ")
    assert len(caplog.messages) == 2
    with pytest.raises(KeyboardInterrupt):
        attempted(interrupt)


def interrupt():
    raise KeyboardInterrupt

"""Pictures that must not end a notebook."""

import pytest

from spectramind_kit.diagnostics.attempt import attempted


def test_a_picture_is_drawn_or_said_to_be_none(caplog):
    assert attempted(str.upper, "drawn") == "DRAWN"
    assert attempted(float, "no number").startswith("no picture: ")
    assert len(caplog.messages) == 1
    with pytest.raises(KeyboardInterrupt):
        attempted(interrupt)


def interrupt():
    raise KeyboardInterrupt

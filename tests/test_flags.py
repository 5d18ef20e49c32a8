"""Quality flags: each has a text of its own, and what was measured stands in brackets behind it."""

from spectramind_kit.flags import Flag, flag_sentences


def test_every_flag_has_a_text_of_its_own():
    assert len({flag.value for flag in Flag}) == len(Flag.__members__) > 20, "an equal text would make an alias"
    for flag in Flag:
        partner = flag.name.replace("FGS1_", "AIRS_")
        assert flag.name.startswith("FGS1_DEPTH") or partner in Flag.__members__, "flags of a channel come in pairs"


def test_sentences_keep_order_and_show_what_was_measured():
    flags = {Flag.FGS1_NOISY: "2.0 times", Flag.NO_TRANSIT: ""}
    assert flag_sentences(flags) == [
        "FGS1: residuals scatter more than photon and read noise (2.0 times)",
        "no transit found",
    ]
    assert flag_sentences({}) == []

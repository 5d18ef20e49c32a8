"""Errors say what, wanted, got and remedy, and survive the trip between processes."""

import pickle

from spectramind_kit.errors import CompetitionDataError, SpectraMindError


def test_message_names_what_wanted_got_and_remedy():
    error = SpectraMindError("dark of planet 7", wanted="(32, 356) values", got=(32, 32), remedy="is this FGS1?")
    assert str(error) == "dark of planet 7: wanted (32, 356) values, got (32, 32); is this FGS1?"


def test_parts_that_are_not_given_leave_no_trace():
    assert str(SpectraMindError("star table")) == "star table"
    assert str(SpectraMindError("star table", got=0)) == "star table: got 0"
    assert str(SpectraMindError("star table", remedy="write one")) == "star table; write one"


def test_survives_pickling_with_its_kind_and_parts():
    error = CompetitionDataError("flat", wanted="a file", got="none", remedy="download it")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is CompetitionDataError
    assert (str(copy), copy.wanted, copy.remedy) == (str(error), "a file", "download it")

"""The client's exceptions and silences, turned into sentences."""

import importlib.metadata
import logging
import sys
from pathlib import Path

import pytest
import requests

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking, client_output, http_status, open_client
from spectramind_kit.kaggle.rules.client_rules import OLDEST_CLIENT


def test_opened_client_is_the_official_one_and_knows_who_it_is(api, kaggle):
    assert type(api).__module__ == "kaggle.api.kaggle_api_extended"
    assert api.get_config_value("username") == "somebody"
    assert not kaggle.calls


def test_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "kaggle", None)

    with pytest.raises(PackagingError, match="spectramind-kit.kaggle.*six"):
        open_client()


@pytest.mark.parametrize("version", ["1.5.16", "1.7.4.5", "2.2.3"])
def test_old_client_is_refused_with_the_version_that_is_needed(monkeypatch, version):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    monkeypatch.setitem(sys.modules, "kaggle", None)  # an old one ends the process where it finds no credentials

    with pytest.raises(PackagingError, match=f"wanted {OLDEST_CLIENT} or newer, got {version}; pip install"):
        open_client()


def test_oldest_client_is_the_one_that_the_package_requires():
    assert f"    kaggle>={OLDEST_CLIENT}\n" in (Path(__file__).parents[3] / "setup.cfg").read_text()


def test_no_server_is_a_sentence(kaggle, api, monkeypatch):
    def refuse(*_, **__):
        raise requests.exceptions.ConnectionError("connection refused")

    monkeypatch.setattr(requests.Session, "send", refuse)
    refused = pytest.raises(PackagingError, match="no whole response .*connection refused.*check the network")
    with refused as caught, asking("status of something"):
        api.dataset_status("somebody/tiny-wheels")
    assert http_status(caught.value) is None


def test_refusal_of_the_client_itself_is_a_sentence(api):
    refused = pytest.raises(PackagingError, match="refused by the client: Invalid dataset")
    with refused, asking("status of something"):
        api.dataset_status("somebody/")


def test_what_the_client_prints_goes_to_the_log(caplog, capsys):
    with caplog.at_level(logging.DEBUG), client_output() as output:
        print("a warning of the client")

    assert capsys.readouterr().out == "" and output.getvalue() == "a warning of the client\n"
    assert "kaggle: a warning of the client" in caplog.text

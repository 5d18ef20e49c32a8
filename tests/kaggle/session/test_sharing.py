"""A shared report reveals nothing of machine and people, and its pictures and words stay as they are."""

import base64
import getpass
import os

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session import sharing
from spectramind_kit.kaggle.session.sharing import cleaner, private_parts, share_report, without_private

PICTURE = "data:image/png;base64," + base64.b64encode(os.urandom(3000)).decode() + "/home/ada/x/y=="
PAGE = f"""<p>planet 7: signal /kaggle/input/competitions/ariel/test/7/AIRS-CH0_signal_0.parquet is truncated</p>
<pre>{{"owner": "ada-l", "folder": "/home/ada-l/things/", "ratio": "(Rp/Rs)^2", "share": 1/2, "unit": "e-/s"}}</pre>
<a href="https://github.com/some/project/tree">source</a><img src="{PICTURE}"/><b>Ada-L and adamant</b></p>"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An input root that shows who owns what is attached."""
    (tmp_path / "input" / "datasets" / "ada-l" / "wheels").mkdir(parents=True)
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path / "input"))
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    monkeypatch.setattr(sharing.platform, "node", lambda: "host-4711")
    return tmp_path


def test_paths_and_names_go_and_all_else_stays(root):
    (root / "report.html").write_text(PAGE + "<i>host-4711</i>")
    text = share_report(root / "report.html", root / "out").read_text()

    assert "signal AIRS-CH0_signal_0.parquet is truncated" in text
    assert "ada-l" not in text.lower().replace(PICTURE.lower(), "") and "host-4711" not in text
    for kept in (PICTURE, "https://github.com/some/project/tree", "(Rp/Rs)^2", "1/2", "e-/s", "adamant", "</p>"):
        assert kept in text
    assert (root / "report.html").read_text().startswith(PAGE)


def test_what_is_packed_stays_and_words_are_cleaned_before_they_are_packed(root):
    packed = "data:application/gzip;base64," + base64.b64encode(os.urandom(3000)).decode() + "/home/ada/x/y=="
    (root / "report.html").write_text(f"<script>{packed}</script>")

    assert packed in share_report(root / "report.html", root / "out").read_text()
    assert cleaner("grace")("grace and ada-l left /home/ada/x/y.npz") == "somebody and somebody left y.npz"


def test_owner_of_the_configuration_goes_too(root):
    (root / "report.html").write_text("<p>made by grace</p>")

    assert "grace" not in share_report(root / "report.html", root / "out", owner="grace").read_text()


def test_names_that_tell_nothing_stay(root):
    (root / "report.html").write_text("<p>root of the spectramind tree</p>")

    text = share_report(root / "report.html", root / "out", owner="spectramind").read_text()
    assert text == "<p>root of the spectramind tree</p>"


def test_what_is_left_is_an_error(root, monkeypatch):
    (root / "report.html").write_text(PAGE)
    monkeypatch.setattr(sharing, "without_private", lambda text, names: text)

    with pytest.raises(PackagingError, match="no path and no name.*do not share it"):
        share_report(root / "report.html", root / "out")
    assert not (root / "out").exists()


@pytest.mark.parametrize(
    "private",
    [
        "/kaggle/working/x.csv", "'/tmp/a/b'", "file=/usr/lib/python3/x.py:10", "(/a/b/)", "file:///home/ada/x",
        "PYTHONPATH=/a/b:/home/ada", "at:/home/ada/y", "~/things/x", "~ada/things", "C:\\Users\\ada\\x",
        "\\\\server\\share\\x", "/home/ada%20l/x/", "tcp://10.0.0.7:8786", "10.0.0.7", "10.0.0.7:8786",
        "node7.cluster.local",
        "ada@example.org", "https://ada:pw@github.com/x", "https://intranet.example.org/x", "s3://bucket/key",
        "https://github.com/x?token=abc", "ghp_0123456789abcdefghij", "hf_abcdefghijklmnop", "AKIAABCDEFGHIJKLMNOP",
        "eyJhbGciOiJI.eyJzdWIiOiIx.abc", "0123456789abcdef0123456789abcdef", "api_key=abcd1234", '"token": "abcd1234"',
        "&#34;password&#34;: &#34;abcd1234&#34;", "Authorization: Bearer abcd1234", "${oc.env:KAGGLE_KEY}", "$HOME",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_what_is_private_is_found_and_goes(private):
    for text in (private, f"<p>{private}</p>", f'{{"a": "{private}", "b": 1}}'):
        assert private_parts(text, ()), text
        assert not private_parts(without_private(text, ()), ()), without_private(text, ())


@pytest.mark.parametrize(
    "public",
    [
        "(Rp/Rs)^2", "1/2", "e-/s", "</p></td>", "https://github.com/some/project/tree", "numpy 2.4.6", "torch 2.10.0",
        "5c3db9c0b0b41d7f5c3db9c0b0b41d7f5c3db9c0", "AIRS-CH0", "2026-11-29T10:00:00", "secret of success", "$0.5",
        "http://www.w3.org/2000/svg", "a 64-bit hash " + 64 * "a",
    ],
)  # fmt: skip
def test_what_is_public_stays(public):
    assert not private_parts(public, ()) and without_private(public, ()) == public

"""One word for one thing, the field's word: names and sentences that the glossary has replaced do not come back."""

import io
import re
import tokenize
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "spectramind_kit"
NAMES = {
    "stray": "depth bias",
    "ways": "hyperparameter grid",
    "lever": "sensitivity",
    "oddity": "anomaly",
    "bump": "spot crossing",
    "pull": "standardised residual",
    "pulls": "standardised residuals",
    "evident": "shrunk, empirical-Bayes",
    "belief": "prior weight",
    "told": "reported",
    "said": "reported",
    "heard": "predicted",
    "seen": "observed",
    "clocks": "mid-time groups",
    "doubted": "inflated",
    "distrust": "inflate covariance",
    "forget": "uninformative",
    "living": "valid",
    "knocks": "pointing excursions",
    "bursts": "pointing excursions",
    "settling": "ramp, thermal cycle",
    "varied": "augmented",
    "twin": "reference implementation",
    "misfits": "incompatibilities",
    "overdrawn": "over budget",
    "verbs": "commands",
    "reach": "half width",
}
"""Parts of identifiers, and what the field says instead."""
SENTENCES = (
    *("stray noise", "slow twin", "oddity", "the verbs", "are told", "is told", "is heard", "knocks", "take up"),
    *("share of the (network|light|star|stars|disc)", "network's share", "forgets"),
)
"""Of docstrings, comments, messages and the README."""


def test_identifiers_use_the_fields_words():
    wrong = []
    for path in sorted([*PACKAGE.rglob("*.py"), *PROJECT.glob("benchmarks/**/*.py")]):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            parts = set(token.string.lower().split("_")) if token.type == tokenize.NAME else set()
            wrong += [
                f"{path.name}:{token.start[0]} {token.string}: say {NAMES[part]}" for part in parts & NAMES.keys()
            ]
    assert not wrong, "\n".join(wrong)


def test_sentences_use_the_fields_words():
    pattern = re.compile(r"\b(" + "|".join(SENTENCES) + r")\b", re.IGNORECASE)
    patterns = ("spectramind_kit/**/*.py", "spectramind_kit/**/*.html", "spectramind_kit/**/*.yaml")
    beside = ("kernels/*/*.py", "benchmarks/**/*.py", "benchmarks/*.md", "*.md", "docs/*.md", "docs/*.py")
    files = [path for pattern in (*patterns, *beside) for path in PROJECT.glob(pattern)]
    wrong = [
        f"{path.relative_to(PROJECT)}:{number} {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not wrong, "\n".join(wrong)

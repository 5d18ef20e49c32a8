"""Lay out the wheel dataset as Kaggle takes it: wheels by target, manifest, metadata, README, licences, installer.

Kaggle's rules, checked before anything is uploaded: names of letters, digits, ".", "_" and "-" only ("+" is dropped
silently and leaves a wheel that cannot be installed), at most 50 entries at the top, a title and a slug of 6 to 50
characters, a subtitle of 20 to 80, one licence of Kaggle's list.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectramind_kit.config import KaggleConfig
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle import install
from spectramind_kit.kaggle.targets import Target
from spectramind_kit.kaggle.wheel_file import read_wheel
from spectramind_kit.kaggle.wheelhouse import BuiltWheel

SAFE_NAME = re.compile(r"[A-Za-z0-9._-]+")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_TOP_LEVEL = 50
MAX_BYTES = 200 * 10**9
TITLE_LENGTH = (6, 50)
SUBTITLE_LENGTH = (20, 80)

README = """# {title}

Wheels for Kaggle notebooks without internet, made by spectramind_kit: the kit itself and what the image lacks.
One folder of `wheels/` for each image generation: {targets}.

Attach this dataset to a notebook and run two cells:

```python
import os, runpy
from pathlib import Path
inputs = Path(os.environ.get("KAGGLE_INPUT_ROOT", "/kaggle/input"))
wheels = [*inputs.glob("*/wheels/*/spectramind_kit-*.whl"), *inputs.glob("*/*/*/wheels/*/spectramind_kit-*.whl")]
runpy.run_path(str(wheels[0].parents[2] / "install.py"))["install"]()
```

```python
from spectramind_kit.kaggle.session import find_competition
find_competition()
```

`install.py` takes the wheels that fit the session, checks their SHA-256, installs them with uv or pip in one call
(`--no-index --no-deps`: torch, numpy and protobuf stay as they are), imports them and prints a table. Compiled wheels
are for one Python, torch, CUDA and C++ ABI; where none fits it says so in one line and goes on without. On a GPU the
selective scan is run and compared with the recurrence before it is said to be in use.

| wheel | version | target | GPU code | licence | MB |
|---|---|---|---|---|---|
{rows}
"""


def write_dataset(
    wheels: Mapping[str, Sequence[BuiltWheel]], targets: Sequence[Target], out: Path, config: KaggleConfig
) -> dict:
    """Write the dataset's folder anew and return its manifest.

    Args:
        wheels: built wheels by target name.
        out: the folder.
        config: whose dataset it will be, and its slug.

    Raises:
        PackagingError: if Kaggle would refuse or garble it, or if ``out`` is a folder of something else.
    """
    metadata = dataset_metadata(config.dataset, config.owner)
    records = [_record(wheel, target) for target in targets for wheel in wheels[target.name]]
    facts = {target.name: target.facts() for target in targets}
    manifest = {"format": install.FORMAT, "targets": facts, "wheels": records}
    _clear(out)
    for target in targets:
        (out / "wheels" / target.name).mkdir(parents=True)
        for wheel in wheels[target.name]:
            shutil.copyfile(target.folder / wheel.file, out / "wheels" / target.name / wheel.file)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (out / "dataset-metadata.json").write_text(json.dumps(metadata, indent=1) + "\n")
    (out / "README.md").write_text(_readme(metadata["title"], records, facts))
    (out / "LICENSES").write_text(_licences(wheels, targets))
    shutil.copyfile(install.__file__, out / "install.py")
    check_uploadable(out)
    return manifest


def dataset_metadata(slug: str, owner: str) -> dict:
    """Return ``dataset-metadata.json``.

    Raises:
        PackagingError: if the slug, or a text made of it, is outside Kaggle's rules.
    """
    if not SLUG.fullmatch(slug) or not 6 <= len(slug) <= 50:
        wanted = "6 to 50 small letters and digits with single dashes"
        raise PackagingError(f"dataset name {slug!r}", wanted=wanted, remedy="set kaggle.dataset")
    metadata = {
        "id": f"{owner}/{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "subtitle": "Offline wheels of spectramind_kit for Kaggle notebooks",
        "description": "Wheels for notebooks without internet. Each keeps its own licence: see LICENSES.",
        "licenses": [{"name": "other"}],
        "keywords": [],
    }
    for key, (shortest, longest) in {"title": TITLE_LENGTH, "subtitle": SUBTITLE_LENGTH}.items():
        if not shortest <= len(metadata[key]) <= longest:
            wanted = f"{shortest} to {longest} characters"
            raise PackagingError(f"dataset {key}", wanted=wanted, got=metadata[key])
    return metadata


def check_uploadable(folder: Path) -> None:
    """Refuse a folder that Kaggle would refuse or garble.

    Raises:
        PackagingError: on an unsafe name, too many top-level entries, or too many bytes.
    """
    paths = sorted(folder.rglob("*"))
    unsafe = [str(path.relative_to(folder)) for path in paths if not SAFE_NAME.fullmatch(path.name)]
    if unsafe:
        wanted = "names of letters, digits, '.', '_' and '-'"
        raise PackagingError(f"dataset {folder}", wanted=wanted, got=unsafe, remedy="rename; Kaggle drops the rest")
    top = len(list(folder.iterdir()))
    if top > MAX_TOP_LEVEL:
        raise PackagingError(f"dataset {folder}", wanted=f"at most {MAX_TOP_LEVEL} top-level entries", got=top)
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if size > MAX_BYTES:
        raise PackagingError(f"dataset {folder}", wanted=f"at most {MAX_BYTES} bytes", got=size)


def _record(wheel: BuiltWheel, target: Target) -> dict:
    """Return what the manifest says of one wheel."""
    path = target.folder / wheel.file
    contents = read_wheel(path)
    return {
        "name": contents.name,
        "version": contents.version,
        "path": f"wheels/{target.name}/{wheel.file}",
        "sha256": wheel.sha256,
        "size": path.stat().st_size,
        "licence": contents.licence,
        "source": wheel.source,
        "target": target.name,
        "original_name": wheel.original_name,
        "compiled": contents.compiled,
        "architectures": list(wheel.architectures),
        "needed": list(wheel.needed),
        "imports": list(contents.imports),
        "extensions": list(contents.extensions),
    }


def _clear(out: Path) -> None:
    """Remove an earlier dataset, but nothing else that happens to bear the name."""
    path = out / "manifest.json"
    if path.is_file() and json.loads(path.read_text()).get("format") == install.FORMAT:
        shutil.rmtree(out)
    elif out.is_dir() and any(out.iterdir()):
        got = sorted(entry.name for entry in out.iterdir())[:8]
        raise PackagingError(f"--out {out}", wanted="a new folder or an earlier dataset", got=got)
    out.mkdir(parents=True, exist_ok=True)


def _readme(title: str, records: Sequence[dict], facts: Mapping[str, object]) -> str:
    rows = [
        f"| {r['name']} | {r['version']} | {r['target']} | {' '.join(r['architectures'])} | {r['licence']} "
        f"| {r['size'] / 1e6:.2f} |"
        for r in records
    ]
    return README.format(title=title, targets=", ".join(f"`{name}`" for name in facts), rows="\n".join(rows))


def _licences(wheels: Mapping[str, Sequence[BuiltWheel]], targets: Sequence[Target]) -> str:
    """Return the licence texts of every distribution, once each."""
    texts = {}
    for target in targets:
        for wheel in wheels[target.name]:
            contents = read_wheel(target.folder / wheel.file)
            stated = f"{contents.name} {contents.version}: {contents.licence}"
            found = [f"{name}\n\n{text.strip()}" for name, text in contents.licence_texts.items()]
            texts[stated] = found or ["The wheel carries no licence file; this is what its metadata states."]
    rule = "\n\n" + "=" * 100 + "\n"
    return rule.join("\n\n".join([stated, *found]) for stated, found in texts.items()) + "\n"

"""Lay out the wheel dataset as Kaggle takes it: wheels by target, manifest, metadata, README, licences, installer.

Kaggle's rules (``limits``) are checked before anything is uploaded: it drops a "+" silently, for instance, and leaves
a wheel that cannot be installed. Beside the wheels lies the source they were built from, for a session on Kaggle's own
image that compiles them anew (kernel ``build-wheels``).
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.rules import new_dataset
from spectramind_kit.kaggle.rules.upload_rules import DATASET_METADATA, check_uploadable
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.kaggle.wheels.hub_builds import copy_kernel
from spectramind_kit.kaggle.wheels.targets import LOCK_NAME, RECORD_NAME, Target
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel
from spectramind_kit.kaggle.wheels.wheelhouse import PROJECT_FILES, BuiltWheel
from spectramind_kit.settings.kaggle import KaggleConfig

SOURCE = "source"
"""Folder of the source archive: a checkout without tests, from which ``build_dataset.py`` can build again."""
SOURCE_FILES = (*PROJECT_FILES, "build_dataset.py", "wheels/build-constraints.txt")
SOURCE_PATTERNS = ("spectramind_kit/**/*", f"wheels/*/{RECORD_NAME}", f"wheels/*/{LOCK_NAME}")

README = """# {title}

Wheels for Kaggle notebooks without internet, made by spectramind_kit: {contents}.
One folder of `wheels/` for each image generation: {targets}.

Attach this dataset to a notebook and run:

```python
import os, runpy
from pathlib import Path
inputs = Path(os.environ.get("KAGGLE_INPUT_ROOT", "/kaggle/input"))
installers = [path for depth in "1234" for path in inputs.glob("*/" * int(depth) + "install.py")]
assert len(installers) == 1, installers
runpy.run_path(str(installers[0]))["install"]()
```
{second_cell}
`install.py` takes the wheels that fit the session, checks their SHA-256, installs them with uv or pip in one call
(`--no-index --no-deps`: torch, numpy and protobuf stay as they are), imports them and prints a table. Compiled wheels
are for one Python, torch, CUDA and C++ ABI; where none fits it prints one line and goes on without.

| wheel | version | target | GPU code | licence | MB |
|---|---|---|---|---|---|
{rows}
"""
SECOND_CELL = """
```python
from spectramind_kit.kaggle.session.inputs import find_competition
find_competition()
```

On a GPU the selective scan is run and compared with the recurrence before it is reported to be in use.
"""
"""What a dataset of the kit has beside one of other packages."""


def write_dataset(
    wheels: Mapping[str, Sequence[BuiltWheel]],
    targets: Sequence[Target],
    out: Path,
    config: KaggleConfig,
    project: Path | None = None,
    hub_kernel: Path | None = None,
) -> dict:
    """Write the dataset's folder anew and return its manifest.

    Args:
        wheels: built wheels by target name.
        targets: that they were built for.
        out: the folder.
        config: whose dataset it will be, and its slug.
        project: the checkout the wheels were built from; its source goes along, if it is given.
        hub_kernel: folder of the hub's kernel of the selective scan, whose builds for the targets go along.

    Raises:
        PackagingError: if Kaggle would refuse or garble it, or if ``out`` is a folder of something else.
    """
    metadata = dataset_metadata(config.dataset, config.owner)
    records = [_record(wheel, target) for target in targets for wheel in wheels[target.name]]
    facts = {target.name: target.facts() for target in targets}
    installer = sha256_of(Path(install.__file__))
    manifest = {"format": install.FORMAT, "installer_sha256": installer, "targets": facts, "wheels": records}
    _clear(out)
    for target in targets:
        (out / "wheels" / target.name).mkdir(parents=True)
        for wheel in wheels[target.name]:
            shutil.copyfile(target.folder / wheel.file, out / "wheels" / target.name / wheel.file)
    if hub_kernel:
        manifest["hub_kernel"] = copy_kernel(hub_kernel, targets, out)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (out / DATASET_METADATA).write_text(json.dumps(metadata, indent=1) + "\n")
    (out / "README.md").write_text(_readme(metadata["title"], records, facts))
    (out / "LICENSES").write_text(_licences(wheels, targets) + _hub_licence(manifest.get("hub_kernel")))
    shutil.copyfile(install.__file__, out / "install.py")
    if project:
        copy_source(project, out / SOURCE)
    check_uploadable(out)
    return manifest


def dataset_metadata(slug: str, owner: str) -> dict:
    """Return ``dataset-metadata.json``.

    Raises:
        PackagingError: if the slug, or a text made of it, is outside Kaggle's rules.
    """
    return new_dataset.dataset_metadata(
        f"{owner}/{slug}",
        "Offline wheels of spectramind_kit for Kaggle notebooks",
        "Wheels for notebooks without internet. Each keeps its own licence: see LICENSES.",
        f"a dataset of kaggle.owner={owner} and kaggle.dataset={slug}",
    )


def copy_source(project: Path, out: Path) -> Path:
    """Copy what wheels are built from, and the program that builds them, to a folder; return the folder."""
    files = [project / name for name in SOURCE_FILES]
    files += [path for pattern in SOURCE_PATTERNS for path in sorted(project.glob(pattern))]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            place = out / path.relative_to(project)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return out


def _record(wheel: BuiltWheel, target: Target) -> dict:
    """Return the manifest's record of one wheel."""
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
    is_kit = any(record["source"] == "project" for record in records)
    return README.format(
        title=title,
        contents="the kit itself and what the image lacks"
        if is_kit
        else ", ".join(sorted({r["name"] for r in records})),
        second_cell=SECOND_CELL if is_kit else "",
        targets=", ".join(f"`{name}`" for name in facts),
        rows="\n".join(rows),
    )


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


def _hub_licence(kernel: Mapping[str, str] | None) -> str:
    return f"\n{kernel['repository']} of Hugging Face's hub: {kernel['licence']}\n" if kernel else ""

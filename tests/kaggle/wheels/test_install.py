"""install.py as a session runs it: by itself, in a fresh environment, from a read-only folder, without index."""

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.rehearsal.image_environment import installed_distributions, links
from spectramind_kit.kaggle.rules import session_folders
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel
from tests.kaggle.tiny_packages import write_wheel

FACTS = {"python": "3.12", "torch": "2.10", "cuda": "12.8", "cxx11_abi": True, "glibc": "2.35"}
SESSION = FACTS
HERE = "{}.{}".format(*sys.version_info)


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of a virtual environment with nothing but pip."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    site = next(folder.glob("lib/python*/site-packages"))
    installed = installed_distributions()
    for relative, path in links([installed["pip"]], installed.values()).items():
        (site / relative).symlink_to(path)
    return folder / "bin" / "python"


@pytest.fixture
def dataset(tmp_path) -> Path:
    """A dataset of two wheels, one of which is compiled for another Python."""
    root = tmp_path / "input" / "datasets" / "somebody" / "tiny-wheels"
    folder = root / "wheels" / "cp312"
    folder.mkdir(parents=True)
    pure = write_wheel(folder, "tiny-spectra", "1.2")
    compiled = write_wheel(folder, "tiny-scan", "2.0", "cp399-cp399-linux_x86_64", pure="false")
    write_manifest(root, [pure, compiled], {"cp312": {**FACTS, "python": "3.99"}})
    shutil.copy(install.__file__, root / "install.py")
    return root


def write_manifest(root, wheels, targets):
    """Write the manifest of wheels that lie under ``root``."""
    records = []
    for path in wheels:
        contents = read_wheel(path)
        record = {"name": contents.name, "version": contents.version, "path": str(path.relative_to(root))}
        record |= {"sha256": sha256_of(path), "target": path.parent.name, "source": path.name}
        record |= {"imports": contents.imports, "compiled": contents.compiled, "extensions": contents.extensions}
        record |= {"size": path.stat().st_size}
        records.append({**record, "architectures": ["sm_75"] if contents.compiled else []})
    manifest = {"format": install.FORMAT, "targets": targets, "wheels": records}
    (root / "manifest.json").write_text(json.dumps(manifest))


def run(python, dataset, path="/usr/bin:/bin"):
    """Run install.py in an interpreter of its own."""
    command = [str(python), str(dataset / "install.py")]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", env={"PATH": path})


def version_of(python, module):
    """Return the version of a module as an interpreter imports it."""
    code = f"import {module}; print({module}.version)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def test_installs_in_a_fresh_environment_and_goes_on_without_cuda(python, dataset):
    done = run(python, dataset)

    assert done.returncode == 0, done.stderr
    assert "tiny-spectra" in done.stdout and "installed" in done.stdout
    assert "skipped: made for python 3.99" in done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("no CUDA wheel fits")]) == 1
    assert version_of(python, "tiny_spectra") == "1.2"


def test_uv_is_used_where_it_is(python, dataset):
    uv = pytest.importorskip("uv").find_uv_bin()
    wheel = write_wheel(dataset / "wheels" / "cp312", "tiny-spectra", "1.3")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    done = run(python, dataset, path=f"{Path(uv).parent}:/usr/bin:/bin")

    assert done.returncode == 0, done.stderr
    assert "(uv)" in done.stdout and version_of(python, "tiny_spectra") == "1.3"


def test_pip_takes_over_where_uv_fails(python, dataset, tmp_path):
    wheel = write_wheel(dataset / "wheels" / "cp312", "tiny-spectra", "1.4")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    (tmp_path / "uv").write_text("#!/bin/sh\nexit 2\n")
    (tmp_path / "uv").chmod(0o755)
    done = run(python, dataset, path=f"{tmp_path}:/usr/bin:/bin")

    assert "(pip)" in done.stdout and version_of(python, "tiny_spectra") == "1.4"


@pytest.mark.parametrize("place", ["wheels/cp312", "wheels", "."])
def test_name_that_lost_its_plus_is_repaired(python, dataset, place):
    wheel = write_wheel(dataset / "wheels" / "cp312", "tiny-scan", "2.0+cu12torch2.10")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    wheel.rename(dataset / place / wheel.name.replace("+", ""))
    done = run(python, dataset)

    assert done.returncode == 0, done.stderr
    assert version_of(python, "tiny_scan") == "2.0+cu12torch2.10"


def test_compiled_wheel_that_does_not_load_costs_no_session(python, dataset):
    wheel = write_wheel(
        dataset / "wheels" / "cp312", "tiny-scan", "3.0", f"cp{HERE.replace('.', '')}-none-any", "false"
    )
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_scan_cuda.so", "no machine code")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    (dataset / "install.py").write_text(
        (dataset / "install.py")
        .read_text()
        .replace("def incompatibilities(", "def incompatibilities(*_): return []\ndef _other(")
    )
    done = run(python, dataset)

    assert done.returncode == 0, done.stderr
    assert "installed, but does not load" in done.stdout


def test_only_the_wheel_at_fault_is_named(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "scan_cuda.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    scan, other = {"path": "a", "extensions": ["scan_cuda"]}, {"path": "b", "extensions": ["other_cuda"]}

    assert install.extension_errors([]) == {} and install.extension_errors([scan]) == {}
    errors = install.extension_errors([scan, other])
    assert errors["a"] == "" and "No module named 'other_cuda'" in errors["b"]


def test_dataset_that_brings_torch_is_refused(python, dataset):
    wheel = write_wheel(dataset / "wheels" / "cp312", "torch", "2.99")
    write_manifest(dataset, [wheel], {"cp312": FACTS})

    assert "belongs to the image" in run(python, dataset).stderr


def test_module_is_run_up_to_its_use_of_torch(python, dataset):
    wheel = write_wheel(dataset / "wheels" / "cp312", "tiny-graph", "1.0", code="import torch\nimport never_reached\n")
    broken = write_wheel(dataset / "wheels" / "cp312", "tiny-faulty", "1.0", code="import absent\nimport torch\n")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    assert run(python, dataset).returncode == 0

    write_manifest(dataset, [wheel, broken], {"cp312": FACTS})
    assert "No module named 'absent'" in run(python, dataset).stderr


def test_second_run_skips_what_is_there(python, dataset):
    run(python, dataset)

    assert "already here" in run(python, dataset).stdout


def test_installs_from_a_folder_without_write_permission(python, dataset):
    for path in [*dataset.rglob("*"), dataset]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(dataset.rglob("*"))

    assert run(python, dataset).returncode == 0
    assert sorted(dataset.rglob("*")) == before


def test_altered_wheel_is_refused(python, dataset):
    wheel = next(dataset.rglob("tiny_spectra*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    done = run(python, dataset)

    assert done.returncode != 0 and "was altered" in done.stderr and wheel.name in done.stderr


def test_missing_wheel_is_refused(python, dataset):
    next(dataset.rglob("tiny_spectra*.whl")).unlink()
    done = run(python, dataset)

    assert done.returncode != 0 and "is missing" in done.stderr and "-r zip" in done.stderr


def test_wheel_that_does_not_import_is_refused(python, dataset):
    wheel = write_wheel(dataset / "wheels" / "cp312", "tiny-broken", "1.0")
    write_manifest(dataset, [wheel], {"cp312": FACTS})
    path = dataset / "manifest.json"
    path.write_text(path.read_text().replace('"tiny_broken"', '"tiny_absent"'))
    done = run(python, dataset)

    assert done.returncode != 0 and "tiny_absent" in done.stderr


def test_empty_dataset_is_refused(python, dataset):
    write_manifest(dataset, [], {"cp312": FACTS})

    assert "lists no wheel" in run(python, dataset).stderr


@pytest.mark.parametrize("place", ["tiny", "datasets/somebody/tiny", "notebooks/somebody/tiny/output"])
def test_found_by_content_under_every_layout(tmp_path, monkeypatch, dataset, place):
    other = tmp_path / "elsewhere" / "another"
    other.mkdir(parents=True)
    (other / "manifest.json").write_text('{"format": "something else"}')
    moved = tmp_path / "elsewhere" / place
    moved.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(dataset, moved)
    monkeypatch.setenv(install.INPUT_ROOT_VARIABLE, str(tmp_path / "elsewhere"))

    assert install.find_dataset()[0] == moved


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '{"format": 5}', "\ufeff{}", "[" * 100_000, "\udcff"])
def test_what_others_call_a_manifest_costs_no_session(tmp_path, monkeypatch, dataset, text):
    other = tmp_path / "elsewhere" / "another" / "manifest.json"
    other.parent.mkdir(parents=True)
    other.write_bytes(text.encode(errors="surrogateescape"))
    moved = shutil.copytree(dataset, tmp_path / "elsewhere" / "tiny")
    monkeypatch.setenv(install.INPUT_ROOT_VARIABLE, str(tmp_path / "elsewhere"))

    assert install.find_dataset()[0] == moved


def test_no_dataset_names_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setenv(install.INPUT_ROOT_VARIABLE, str(tmp_path))

    with pytest.raises(install.InstallError, match="attach the dataset"):
        install.find_dataset()


@pytest.mark.parametrize(
    "change, reason",
    [
        ({}, None),
        ({"python": "3.13"}, "python 3.12"),
        ({"torch": "2.11"}, "torch 2.10"),
        ({"torch": None}, "here is none"),
        ({"cuda": "12.4"}, None),
        ({"cuda": "13.0"}, "cuda 12.8"),
        ({"cuda": None}, "cuda 12.8"),
        ({"glibc": "2.31"}, "glibc 2.35"),
        ({"glibc": "2.39"}, None),
        ({"cxx11_abi": False}, "C++11 ABI True"),
        ({"cxx11_abi": None}, None),
    ],
)
def test_what_must_agree_for_compiled_wheels(change, reason):
    reasons = install.incompatibilities(FACTS, {**SESSION, **change})

    assert (reasons == []) if reason is None else (len(reasons) == 1 and reason in reasons[0])


def test_target_that_fits_is_chosen():
    targets = {"cp313": {**FACTS, "python": "3.13"}, "cp312": FACTS, "cp312-cu130": {**FACTS, "cuda": "13.0"}}
    wheels = [{"target": name, "name": name} for name in targets]
    name, chosen, reasons = install.choose_target({"targets": targets, "wheels": wheels}, SESSION)

    assert (name, [wheel["name"] for wheel in chosen], reasons) == ("cp312", ["cp312"], [])


def test_session_facts_are_those_of_torch():
    import torch

    facts = install.session_facts()
    assert facts["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert torch.__version__.startswith(facts["torch"] + ".")
    assert facts["cuda"] == torch.version.cuda
    assert facts["cxx11_abi"] == torch._C._GLIBCXX_USE_CXX11_ABI


def test_kit_is_asked_which_scan_is_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert install.scan_in_use() == ("torch segments", "no CUDA device")


def test_session_without_the_kit_goes_on(python, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(install.sys, "executable", str(python))
    scan, why = install.scan_in_use()

    assert scan == "unknown" and "spectramind_kit" in why


@pytest.mark.parametrize("output", ["", "no json", "[1]", "null"])
def test_scan_that_says_nothing_of_use_costs_no_session(tmp_path, monkeypatch, output):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(install.sys, "executable", str(program))

    assert install.scan_in_use()[0] == "unknown"


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """A program that never ends, with a child of its own that holds its outputs; every limit is a moment."""
    program = tmp_path / "endless"
    program.write_text("#!/bin/sh\nsleep 300 &\nsleep 300\n")
    program.chmod(0o755)
    monkeypatch.setattr(install, "INSTALL_SECONDS", 0.1)
    monkeypatch.setattr(install, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(install.sys, "executable", str(program))
    return program


def test_every_program_that_does_not_end_is_ended(endless, monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: str(endless))
    with pytest.raises(install.InstallError, match="(?s)uv: endless was not done after 0.1 s.*pip: endless was not"):
        install.run_installer([endless])
    with pytest.raises(install.InstallError, match="not done after 0.1 s"):
        install.check_imports(["tiny_spectra"])
    scan = {"path": "a", "extensions": ["scan_cuda"]}
    assert install.extension_errors([scan]) == {"a": "endless was not done after 0.1 s"}
    assert install.scan_in_use() == ("unknown", "the kit does not say: endless was not done after 0.1 s")


def test_only_one_function_starts_programs():
    """What it starts has a limit; no other place may start any."""
    code = Path(install.__file__).read_text()

    assert code.count("subprocess.Popen(") == 1 and "subprocess.run(" not in code and "os.system" not in code


def test_program_that_does_not_start_is_a_sentence(tmp_path):
    status, _, errors = install.call([str(tmp_path / "nowhere")], 1)

    assert status == 127 and "does not start" in errors


def test_line_that_cannot_be_printed_costs_no_session(monkeypatch):
    class Closed:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    install.print_table("cp312", [("größe", "1.0", "installed")])


def test_scan_that_ends_without_a_message_costs_no_session(monkeypatch):
    monkeypatch.setattr(install.sys, "executable", "/bin/false")
    assert install.scan_in_use() == ("unknown", "the kit does not say: it ended without a message")


def test_installer_states_the_same_variable_as_the_rules():
    assert install.INPUT_ROOT_VARIABLE == session_folders.INPUT_ROOT_VARIABLE

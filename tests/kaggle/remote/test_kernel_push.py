"""Kernels through the real client: what is sent, when, and what counts as a success."""

import json

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.dataset_push import create_or_version, open_dataset
from spectramind_kit.kaggle.remote.kernel_push import prepare_push, push_kernel
from spectramind_kit.kaggle.remote.kernel_session import wait_for_kernel
from spectramind_kit.kaggle.remote.push_record import kernel_name, read_record
from tests.kaggle.tiny_packages import KERNEL, write_kernel


@pytest.fixture
def dataset(api, wheel_folder, polling):
    """The kernel's dataset, created and ready."""
    return create_or_version(api, open_dataset(wheel_folder), "", polling)


def change_metadata(folder, **changes):
    path = folder / "kernel-metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_kernel_is_pushed_as_it_is_meant(kaggle, api, dataset, kernel, polling):
    record = push_kernel(api, prepare_push(kernel, 3600, {"value": 0.25}), polling)
    (sent,) = kaggle.called("SaveKernel")

    assert (record.kernel, record.version) == ("somebody/tiny-kernel", 1)
    assert read_record(kernel) == record and record.competition == "tiny-competition"
    assert sent["slug"] == "somebody/tiny-kernel" and sent["newTitle"] == "Tiny kernel"
    assert (sent["enableInternet"], sent["enableGpu"], sent["isPrivate"]) == (False, False, True)
    assert sent["datasetDataSources"] == ["somebody/tiny-wheels"]
    assert sent["competitionDataSources"] == ["tiny-competition"]
    assert sent["sessionTimeoutSeconds"] == 3600 and "machineShape" not in sent
    sources = [cell["source"] for cell in json.loads(sent["text"])["cells"]]
    place = next(i for i, source in enumerate(sources) if source.startswith("value: float = 0.5"))
    assert sources[place + 1].endswith("value = 0.25\n")


def test_gpu_kernel_asks_for_its_machine(kaggle, api, dataset, kernel, polling):
    push_kernel(api, prepare_push(kernel, 3600, accelerator="NvidiaTeslaT4"), polling)
    (sent,) = kaggle.called("SaveKernel")

    assert (sent["enableGpu"], sent["machineShape"]) == (True, "NvidiaTeslaT4")


def test_pushing_twice_makes_two_versions_of_the_same_bytes(kaggle, api, dataset, kernel, polling):
    first = push_kernel(api, prepare_push(kernel, 3600, {"value": 0.25}), polling)
    second = push_kernel(api, prepare_push(kernel, 3600, {"value": 0.25}), polling)

    assert (first.version, second.version) == (1, 2)
    assert first.notebook_sha256 == second.notebook_sha256


def test_kernel_waits_for_its_dataset(kaggle, api, wheel_folder, kernel, polling):
    create_or_version(api, open_dataset(wheel_folder), "", polling)
    kaggle.datasets["somebody/tiny-wheels"].asked = 0
    push_kernel(api, prepare_push(kernel, 3600), polling)

    names = [name for name, _ in kaggle.calls]
    assert names.index("SaveKernel") == len(names) - 1
    assert kaggle.datasets["somebody/tiny-wheels"].asked > 2


def test_kernel_waits_for_the_kernel_whose_output_it_takes(kaggle, api, dataset, kernel, tmp_path, polling):
    source = write_kernel(tmp_path / "kernels" / "first", KERNEL)
    change_metadata(source, id="somebody/first-kernel", title="First kernel")
    push_kernel(api, prepare_push(source, 3600), polling)
    more = {"kernel_sources": ["somebody/first-kernel"]}
    push_kernel(api, prepare_push(kernel, 3600, more_sources=more), polling)

    assert kaggle.kernels["somebody/first-kernel"].asked == 3
    assert kaggle.called("SaveKernel")[-1]["kernelDataSources"] == ["somebody/first-kernel"]


@pytest.mark.parametrize(
    "failures, words",
    [
        (["dataset never ready"], "dataset somebody/tiny-wheels: wanted ready within 0.3 s"),
        (["dataset failed"], "dataset somebody/tiny-wheels: wanted ready, got failed"),
        (["service down"], "HTTP 500"),
    ],
)
def test_kernel_is_not_pushed_without_its_dataset(kaggle, api, dataset, kernel, short_polling, failures, words):
    kaggle.fail(*failures)
    kaggle.datasets["somebody/tiny-wheels"].asked = 0

    with pytest.raises(PackagingError, match=words):
        push_kernel(api, prepare_push(kernel, 3600), short_polling)
    assert not kaggle.called("SaveKernel") and not (kernel / "pushed.json").exists()


@pytest.mark.parametrize(
    "failure, words",
    [
        ("push refused", "Maximum batch GPU session count of 2 reached.*nothing was pushed"),
        ("source rejected", "refused: {'datasets': .'somebody/tiny-wheels'.}; version 1 runs without them: stop it"),
        ("version not run", "wanted a version number, got none"),
    ],
)
def test_what_the_client_calls_a_success_is_an_error(kaggle, api, dataset, kernel, polling, failure, words):
    kaggle.fail(failure)

    with pytest.raises(PackagingError, match=words):
        push_kernel(api, prepare_push(kernel, 3600), polling)
    assert not (kernel / "pushed.json").exists()


def test_refused_competition_and_kernel_are_named(kaggle, api, dataset, kernel, polling):
    kaggle.competitions.clear()

    with pytest.raises(PackagingError, match="competitions.*tiny-competition.*rules accepted"):
        push_kernel(api, prepare_push(kernel, 3600), polling)


def test_failed_session_is_a_sentence_with_kaggles_words(kaggle, api, dataset, kernel, polling):
    push_kernel(api, prepare_push(kernel, 3600), polling)
    kaggle.fail("session error")

    with pytest.raises(PackagingError, match="COMPLETE, got ERROR: .*too much memory.*read its log"):
        wait_for_kernel(api, "somebody/tiny-kernel", polling)


def test_endless_session_is_given_up(kaggle, api, dataset, kernel, polling, short_polling):
    push_kernel(api, prepare_push(kernel, 3600), polling)
    kaggle.fail("session endless")

    with pytest.raises(PackagingError, match="COMPLETE within 0.3 s, got (RUNNING|QUEUED).*--timeout"):
        wait_for_kernel(api, "somebody/tiny-kernel", short_polling)


def test_source_may_be_attached_in_a_version(kaggle, api, dataset, kernel, polling):
    change_metadata(kernel, dataset_sources=["somebody/tiny-wheels/1"])
    push_kernel(api, prepare_push(kernel, 3600), polling)
    assert kaggle.called("SaveKernel")[-1]["datasetDataSources"] == ["somebody/tiny-wheels/1"]
    change_metadata(kernel, dataset_sources=["somebody/tiny-wheels/2"])
    with pytest.raises(PackagingError, match="refused: {'datasets': .'somebody/tiny-wheels/2'.}"):
        push_kernel(api, prepare_push(kernel, 3600), polling)


def test_another_owners_copy_takes_its_own_sources_along(kernel):
    change_metadata(
        kernel, dataset_sources=["somebody/tiny-wheels", "other/light"], kernel_sources=["somebody/first-one"]
    )
    metadata = prepare_push(kernel, 3600, owner="me").metadata

    assert metadata["id"] == "me/tiny-kernel" and metadata["kernel_sources"] == ["me/first-one"]
    assert metadata["dataset_sources"] == ["me/tiny-wheels", "other/light"]


def test_gpu_is_two_t4_unless_another_machine_is_named(kernel):
    assert "machine_shape" not in prepare_push(kernel, 3600).metadata
    change_metadata(kernel, enable_gpu=True)
    assert prepare_push(kernel, 3600).metadata["machine_shape"] == "NvidiaTeslaT4"
    other = prepare_push(kernel, 3600, accelerator="NvidiaL4").metadata
    assert (other["machine_shape"], other["enable_gpu"]) == ("NvidiaL4", True)
    none = prepare_push(kernel, 3600, accelerator="none").metadata
    assert "machine_shape" not in none and none["enable_gpu"] is False


@pytest.mark.parametrize(
    "accelerator, switches",
    [("none", (False, False, None)), ("NvidiaL4", (True, False, "NvidiaL4")), ("TpuV5E8", (False, True, "TpuV5E8"))],
)
@pytest.mark.parametrize("written", [{"enable_tpu": True}, {"enable_gpu": True}, {}])
def test_accelerator_that_is_named_replaces_the_written_one(kernel, written, accelerator, switches):
    change_metadata(kernel, **written)
    metadata = prepare_push(kernel, 3600, accelerator=accelerator).metadata

    assert (metadata["enable_gpu"], metadata["enable_tpu"], metadata.get("machine_shape")) == switches


def test_tpu_that_is_switched_on_stays_on(kernel):
    change_metadata(kernel, enable_tpu="true")
    assert prepare_push(kernel, 3600).metadata["enable_tpu"] is True


@pytest.mark.parametrize("machine", ["NvidiaTeslaP100", "TpuV38"])
def test_retired_machine_is_refused_with_the_reason(kernel, machine):
    with pytest.raises(PackagingError, match="retired.*NvidiaTeslaT4"):
        prepare_push(kernel, 3600, accelerator=machine)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"id": "tiny-kernel"}, "owner/slug"),
        ({"id": "somebody/another"}, "makes the address from the title"),
        ({"enable_internet": None}, "the client's default is true"),
        ({"enable_internet": True}, "the scoring rerun has no internet"),
        ({"dataset_sources": ["tiny-wheels"]}, "owner/slug or owner/slug/version"),
        ({"machine_shape": "NvidiaTeslaT4"}, "enable_gpu true"),
        ({"machine_shape": "Abacus"}, "wanted one of .*NvidiaTeslaT4.*got Abacus"),
        ({"title": "x" * 51}, "5 to 50 characters"),
        ({"enable_gpu": True, "enable_tpu": True}, "enable_gpu or enable_tpu, got both"),
    ],
)
def test_metadata_outside_the_rules_is_refused_before_anything_is_sent(kaggle, kernel, change, words):
    change_metadata(kernel, **change)

    with pytest.raises(PackagingError, match=words):
        prepare_push(kernel, 3600)
    assert not kaggle.calls


def test_name_is_the_pushed_one(kaggle, api, dataset, kernel, polling):
    assert kernel_name(kernel) == "somebody/tiny-kernel" and kernel_name(kernel, "me") == "me/tiny-kernel"
    kaggle.datasets["me/tiny-wheels"] = kaggle.datasets["somebody/tiny-wheels"]
    push_kernel(api, prepare_push(kernel, 3600, owner="me"), polling)
    assert kernel_name(kernel) == "me/tiny-kernel"


def test_push_that_never_was_is_not_a_record(kernel):
    with pytest.raises(PackagingError, match="spectramind kernel push"):
        read_record(kernel)
    (kernel / "pushed.json").write_text("{}")
    with pytest.raises(PackagingError, match="push again"):
        read_record(kernel)

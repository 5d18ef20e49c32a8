"""Metadata as people and the client's template write it: taken as it is meant, or refused with the file's name."""

import json

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.kernel_push import prepare_push
from spectramind_kit.kaggle.rules.kernel import check_kernel, notebook_path, read_metadata
from spectramind_kit.kaggle.rules.metadata_file import LISTS, plain_name, read_metadata_file
from spectramind_kit.kaggle.rules.upload_rules import check_dataset_metadata, check_pushable

DATASET = {"id": "me/ariel-wheels", "title": "Ariel wheels", "licenses": [{"name": "other"}]}


def change(folder, **changes):
    """Change a kernel's metadata; a value of ... takes the key out."""
    path = folder / "kernel-metadata.json"
    facts = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in facts.items() if value is not ...}))
    return path


def test_switches_of_the_clients_template_mean_what_they_say(kernel):
    change(kernel, is_private="true", enable_gpu="false", enable_tpu="false", enable_internet="False", machine_shape="")
    metadata = read_metadata(kernel)

    switches = [metadata[key] for key in ("is_private", "enable_gpu", "enable_tpu", "enable_internet")]
    assert switches == [True, False, False, False]


@pytest.mark.parametrize("key", ["enable_gpu", "enable_tpu", "is_private", "enable_internet"])
@pytest.mark.parametrize("value", ["no", 0, [False]])
def test_switch_that_is_neither_names_the_file(kernel, key, value):
    path = change(kernel, **{key: value})

    with pytest.raises(PackagingError, match=f"{key} in .*{path.name}.*true or false"):
        read_metadata(kernel)


@pytest.mark.parametrize("key", LISTS)
def test_null_is_an_empty_list_and_text_is_none(kernel, key):
    change(kernel, **{key: None})
    assert read_metadata(kernel)[key] == []
    change(kernel, **{key: "me/one"})
    with pytest.raises(PackagingError, match=f"{key} in .*kernel-metadata.json: wanted a list"):
        read_metadata(kernel)


@pytest.mark.parametrize("key", [*LISTS, "expected_output"])
@pytest.mark.parametrize("value", [5, None, {"id": "me/one"}, ["me/one"]])
def test_list_of_anything_but_texts_is_a_sentence_with_the_files_name(kernel, key, value):
    change(kernel, **{key: [value]})

    with pytest.raises(PackagingError, match=f"{key} in .*kernel-metadata.json: wanted a list of texts"):
        prepare_push(kernel, 3600)


def test_what_a_kernel_leaves_may_be_unsaid_and_is_no_text(kernel):
    change(kernel, expected_output=None)
    assert "expected_output" not in read_metadata(kernel)
    change(kernel, expected_output="submission.csv")
    with pytest.raises(PackagingError, match="expected_output in .*kernel-metadata.json: wanted a list"):
        read_metadata(kernel)


@pytest.mark.parametrize("change_of", [{"docker_image": 5}, {"id_no": "many"}, {"docker_image": ["python"]}])
def test_field_of_a_type_that_the_client_would_stop_at_is_a_sentence_before_anything_is_asked(
    kaggle, kernel, change_of
):
    change(kernel, **change_of)

    with pytest.raises(PackagingError, match="kernel-metadata.json: wanted what the client takes, got"):
        prepare_push(kernel, 3600)
    assert not kaggle.calls


@pytest.mark.parametrize("owner", [" somebody", "some body", "", "some?body", "somebody "])
def test_owner_is_one_that_there_can_be(kernel, owner):
    change(kernel, id=f"{owner}/tiny-kernel")

    with pytest.raises(PackagingError, match="id in .*kernel-metadata.json: wanted owner/slug"):
        prepare_push(kernel, 3600)
    with pytest.raises(PackagingError, match="id in dataset-metadata.json: wanted owner/slug"):
        check_dataset_metadata({**DATASET, "id": f"{owner}/ariel-wheels"}, "dataset-metadata.json")


@pytest.mark.parametrize("key", ["title", "language", "kernel_type", "id", "code_file"])
@pytest.mark.parametrize("value", [None, ..., 5])
def test_missing_or_null_text_is_a_sentence_with_the_files_name(kernel, key, value):
    change(kernel, **{key: value})

    with pytest.raises(PackagingError, match="kernel-metadata.json"):
        prepare_push(kernel, 3600)


@pytest.mark.parametrize("name", ["kernel-metadata.json", "dataset-metadata.json"])
@pytest.mark.parametrize(
    "text, words",
    [
        (b'{"id": "me/one",}', "line 1, column 1"),
        (b'{"id": "me/one"', "line 1, column"),
        (b"", "line 1, column 1"),
        (b'["id"]', "a JSON object"),
        (b"null", "a JSON object"),
        ('{"id": "me/one"}'.encode("utf-16"), "UTF-8"),
    ],
)
def test_what_is_no_metadata_is_a_sentence_with_the_files_name(tmp_path, name, text, words):
    (tmp_path / name).write_bytes(text)

    with pytest.raises(PackagingError, match=f"{name}.*{words}"):
        read_metadata_file(tmp_path / name)


def test_byte_order_mark_does_no_harm(kernel):
    path = kernel / "kernel-metadata.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert read_metadata(kernel)["id"] == "somebody/tiny-kernel"


@pytest.mark.parametrize(
    "kind, written, name",
    [
        ("competition_sources", "c/ariel-2025", "ariel-2025"),
        ("competition_sources", "competitions/ariel-2025", "ariel-2025"),
        ("competition_sources", "https://www.kaggle.com/competitions/ariel-2025/", "ariel-2025"),
        ("competition_sources", "ariel-2025", "ariel-2025"),
        ("dataset_sources", "datasets/me/wheels", "me/wheels"),
        ("dataset_sources", "https://www.kaggle.com/datasets/me/wheels", "me/wheels"),
        ("dataset_sources", "datasets/wheels/3", "datasets/wheels/3"),
        ("dataset_sources", "datasets/me/wheels/3", "me/wheels/3"),
        ("dataset_sources", "datasets/wheels", "datasets/wheels"),
        ("kernel_sources", "code/me/train", "me/train"),
        ("kernel_sources", "https://www.kaggle.com/code/me/train", "me/train"),
        ("model_sources", "models/me/scan/pyTorch/base/1", "me/scan/pyTorch/base/1"),
        ("competition_sources", "https://www.kaggle.com/competitions/ariel-2025/data?select=train.csv", "ariel-2025"),
        ("competition_sources", "http://kaggle.com/c/ariel-2025#rules", "ariel-2025"),
        ("competition_sources", "kaggle.com/c/ariel-2025/overview/", "ariel-2025"),
        ("competition_sources", "/c/ariel-2025", "ariel-2025"),
        ("dataset_sources", "https://www.kaggle.com/datasets/me/wheels?select=a.whl", "me/wheels"),
        ("dataset_sources", "https://www.kaggle.com/datasets/me/wheels/data", "me/wheels"),
        ("dataset_sources", "https://www.kaggle.com/datasets/me/wheels/versions/3", "me/wheels/3"),
        ("dataset_sources", "https://www.kaggle.com/me/wheels", "me/wheels"),
        ("dataset_sources", "/datasets/me/wheels", "me/wheels"),
        ("kernel_sources", "https://www.kaggle.com/code/me/train/notebook?scriptVersionId=12", "me/train"),
        ("model_sources", "https://www.kaggle.com/models/me/scan/pyTorch/base/1", "me/scan/pyTorch/base/1"),
        ("dataset_sources", "me/wheels/data", "me/wheels/data"),
    ],
)
def test_address_of_a_source_is_its_name(kind, written, name):
    assert plain_name(kind, written) == name


@pytest.mark.parametrize(
    "kind, source, words",
    [
        ("competition_sources", "me/ariel", "the competition's slug"),
        ("competition_sources", "Ariel 2025", "the competition's slug"),
        ("dataset_sources", "me/wheels?select=a", "owner/slug"),
        ("dataset_sources", "me/wheels/data", "owner/slug"),
        ("model_sources", "me/scan", "owner/model/framework/variation/version"),
        ("model_sources", "me/scan/pyTorch/base/latest", "owner/model/framework/variation/version"),
        ("kernel_sources", "me/abcd", "at least five characters"),
        ("docker_image_pinning_type", "newest", "original"),
    ],
)
def test_source_that_the_client_would_not_take_is_refused(kernel, kind, source, words):
    change(kernel, **{kind: source if kind.startswith("docker") else [source]})

    with pytest.raises(PackagingError, match=f"{kind} in .*kernel-metadata.json.*{words}"):
        check_pushable(read_metadata(kernel), kernel / "kernel-metadata.json")


@pytest.mark.parametrize(
    "licences", ["other", {"name": "other"}, ["other"], [{"nme": "other"}], [{"name": "other"}] * 2]
)
def test_licences_are_a_list_of_one_with_its_name(licences):
    with pytest.raises(PackagingError, match="licenses in dataset-metadata.json: wanted .*name.*name one of"):
        check_dataset_metadata({**DATASET, "licenses": licences}, "dataset-metadata.json")


@pytest.mark.parametrize("key, value", [("description", 5), ("description", []), ("keywords", "a"), ("keywords", [5])])
def test_texts_of_another_type_are_refused_before_the_upload(key, value):
    with pytest.raises(PackagingError, match=f"{key} in dataset-metadata.json"):
        check_dataset_metadata({**DATASET, key: value}, "dataset-metadata.json")


@pytest.mark.parametrize("key", ["id", "title", "licenses"])
@pytest.mark.parametrize("value", [None, 5, "INSERT_TITLE_HERE", {}])
def test_dataset_with_a_field_that_is_none_is_a_sentence(key, value):
    with pytest.raises(PackagingError, match=f"{key} in dataset-metadata.json"):
        check_dataset_metadata({**DATASET, key: value}, "dataset-metadata.json")


def test_folder_may_bear_any_name_and_be_the_one_here(kernel, monkeypatch):
    other = kernel.rename(kernel.with_name("my own kernel"))
    check_kernel(other)
    monkeypatch.chdir(other)

    assert check_kernel(notebook_path(other).parent) == check_kernel(type(other)("."))

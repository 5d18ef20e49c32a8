"""A blend of runs: better than each where they know different things, never worse, and only of what fits together."""

import json
import shutil

import numpy as np
import polars as pl
import pytest

import spectramind_kit as sm
from spectramind_kit.blends.blend import blend
from spectramind_kit.config import load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.ledger.recorded_runs import find_run
from spectramind_kit.metric import score
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import COLUMNS, read_submission, submission_arrays, validate_submission
from tests.ledger.recorded import record

N = 283
TRAIN, TEST = tuple(range(1000, 1040)), (7, 8, 9)


def spectra_of(planets, seed):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.0146, 0.0107, (len(planets), 1)), 3e-3, None) + 1e-4 * rng.standard_normal((1, N))


TRUE = {planet: spectrum for planets in (TRAIN, TEST) for planet, spectrum in zip(planets, spectra_of(planets, 4))}


def write_table(path, planets, *arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = COLUMNS[1 : 1 + N * len(arrays)]
    table = pl.DataFrame(np.concatenate(arrays, axis=1), schema=list(columns))
    table.insert_column(0, pl.Series("planet_id", planets)).write_csv(path)


@pytest.fixture
def data(write_competition):
    """A competition folder with forty labels and three test planets; no cube of theirs is asked for."""
    root = write_competition()
    write_table(root / "train.csv", TRAIN, np.array([TRUE[planet] for planet in TRAIN]))
    sample = np.full((len(TEST), N), 0.1)
    write_table(root / "sample_submission.csv", TEST, sample, sample)
    return root


@pytest.fixture
def member(tmp_path):
    """A writer of work folders of runs whose error has some size, and a part in common with others'."""

    def write(name, size, seed, train=TRAIN, test=TEST, shared=0.3):
        work = WorkFolder(tmp_path / name)
        for planets, path in ((train, work.predictions("train")), (test, work.submission)):
            own, common = (np.random.default_rng([s, len(planets)]) for s in (seed, 1))
            shape = (len(planets), N)
            error = np.sqrt(shared) * common.standard_normal(shape) + np.sqrt(1 - shared) * own.standard_normal(shape)
            truth = np.array([TRUE.get(planet, np.full(N, 0.01)) for planet in planets])
            write_table(path, planets, np.abs(truth + size * error), np.full(shape, size))
        return work.root

    return write


def test_runs_that_err_apart_are_better_together_and_the_file_is_valid(data, member, tmp_path):
    works = [member("a", 2e-4, 10), member("b", 2e-4, 11), member("c", 2.5e-4, 12)]
    found = blend(works, data, tmp_path / "blend", load_config())

    verdict = found.verdict
    assert verdict.weight.sum(axis=0) == pytest.approx(1.0) and (verdict.weight > 0.1).sum() >= 4
    assert verdict.blend_score > max(verdict.scores) and "beyond noise" in verdict.words
    validate_submission(read_submission(found.path), pl.read_csv(data / "sample_submission.csv"))
    truth = np.array([TRUE[planet] for planet in TEST])
    together, *alone = (
        score(truth, *submission_arrays(read_submission(work / "submission.csv"))[1:], (0.0146, 0.0107))
        for work in (found.path.parent, *works)
    )
    assert together > max(alone)

    run = find_run([tmp_path / "blend"], "blend")
    assert run.score == pytest.approx(verdict.blend_score, abs=1e-9) and len(run.planets) == len(TRAIN)
    assert [row["weight"]["FGS1"] for row in run.manifest["members"]] == pytest.approx(verdict.weight[:, 0], abs=1e-3)
    assert len(run.manifest["inputs"]) == 6 and "submission.csv" in run.manifest["outputs"]


def test_a_blend_can_be_a_member_and_other_planets_order_does_not_matter(data, member, tmp_path):
    first = member("a", 2e-4, 10)
    blend([first, member("b", 2e-4, 11)], data, tmp_path / "ab", load_config())
    backwards = member("c", 2e-4, 12)
    for name in ("submission.csv", "predictions/train.csv"):
        read_submission(backwards / name).reverse().write_csv(backwards / name)
    found = blend([tmp_path / "ab", backwards], data, tmp_path / "abc", load_config())
    assert found.verdict.blend_score > max(found.verdict.scores)
    assert read_submission(found.path)["planet_id"].to_list() == list(TEST)


@pytest.mark.parametrize("seed", [20, 30, 40])
def test_a_member_that_only_adds_noise_leaves_the_best_alone_to_the_last_bit(data, member, tmp_path, seed):
    best = member("best", 1e-4, seed, shared=0.9)
    found = blend([member("noisy", 4e-3, seed + 1, shared=0.9), best], data, tmp_path / "blend", load_config())
    assert found.verdict.blend_score > max(found.verdict.scores) - 2 * found.verdict.differences[1].error
    mean, sigma = submission_arrays(read_submission(found.path))[1:]
    wanted = submission_arrays(read_submission(best / "submission.csv"))[1:]
    if (found.verdict.weight[1] == 1.0).all():
        assert mean == pytest.approx(wanted[0], rel=1e-12) and sigma == pytest.approx(wanted[1], rel=1e-9)
    assert found.verdict.held_out.score >= max(found.verdict.scores) - 1e-12


def test_two_copies_with_a_hair_between_them_prove_nothing(data, member, tmp_path):
    first = member("a", 2e-4, 10)
    second = shutil.copytree(first, tmp_path / "b")
    found = blend([first, second], data, tmp_path / "blend", load_config())
    assert (found.verdict.weight.max(axis=0) == 1.0).all() and "not better" in found.verdict.words


def test_few_planets_teach_no_weights(data, member, tmp_path):
    works = [member(name, 2e-4, seed, train=TRAIN[:5]) for name, seed in (("a", 1), ("b", 2))]
    found = blend(works, data, tmp_path / "blend", load_config())
    assert (found.verdict.weight.max(axis=0) == 1.0).all() and "too few" in found.verdict.words


def test_equal_weights_serve_seeds_and_bare_files_but_no_ruin(data, member, tmp_path):
    works = [member("a", 2e-4, 10), member("b", 2e-4, 11)]
    found = blend(works, data, tmp_path / "equal", load_config(), equally=True)
    assert (found.verdict.weight == 0.5).all() and found.verdict.blend_score > max(found.verdict.scores)

    files = [shutil.copy(work / "submission.csv", tmp_path / f"{work.name}.csv") for work in works]
    bare = blend(files, data, tmp_path / "bare", load_config(), equally=True)
    assert read_submission(bare.path).equals(read_submission(found.path)) and not bare.verdict.scores

    ruined = [works[0], member("wild", 2e-2, 12)]
    kept = blend(ruined, data, tmp_path / "kept", load_config(), equally=True)
    assert kept.verdict.weight[0].tolist() == [1.0, 1.0] and "worse than the best member" in kept.verdict.words


def of_other_planets(data, member):
    return [member("a", 2e-4, 1), member("b", 2e-4, 2, test=(7, 8, 10))]


def of_other_training_planets(data, member):
    write_table(data / "train.csv", TRAIN, np.array([TRUE[planet] for planet in TRAIN]))
    return [member("a", 2e-4, 1, train=TRAIN[:20]), member("b", 2e-4, 2, train=TRAIN[20:])]


def of_unlabelled_planets(data, member):
    return [member("a", 2e-4, 1), member("b", 2e-4, 2, train=(*TRAIN, 5))]


def of_another_edition(data, member):
    works = [member("a", 2e-4, 1), member("b", 2e-4, 2)]
    (works[1] / "model").mkdir()
    (works[1] / "model" / "model.json").write_text(json.dumps({"kit_version": "0", "edition": "2024"}))
    return works


def of_other_wavelengths(data, member):
    works = of_another_edition(data, member)
    grid = {"kit_version": "0", "edition": "2025", "wavelengths": [283, 0.5, 3.0]}
    (works[1] / "model" / "model.json").write_text(json.dumps(grid))
    return works


def without_a_submission(data, member):
    works = [member("a", 2e-4, 1), member("b", 2e-4, 2)]
    (works[1] / "submission.csv").unlink()
    return works


def without_held_out_predictions(data, member):
    works = [member("a", 2e-4, 1), member("b", 2e-4, 2)]
    (works[1] / "predictions" / "train.csv").unlink()
    return works


def of_one(data, member):
    return [member("a", 2e-4, 1)] * 2


def of_stale_files(data, member):
    works = [member("a", 2e-4, 1), member("b", 2e-4, 2)]
    for command, name in (("submit", "submission.csv"), ("train", "predictions/train.csv")):
        record(works[1], command, outputs={name: (works[1] / name).read_bytes()})
    return works


@pytest.mark.parametrize(
    "members, said",
    [
        (of_other_planets, r"planets of .*b: wanted the sample's 3, got 3, lacking \[9\], with \[10\]"),
        (of_other_training_planets, "held-out planets of a blend.*20 of"),
        (of_unlabelled_planets, "label of each.*competition folder that it was trained on"),
        (of_another_edition, "edition of .*b: wanted 2025, got 2024"),
        (of_other_wavelengths, "wavelengths of .*b"),
        (without_a_submission, "run `spectramind submit"),
        (without_held_out_predictions, "--weights equal"),
        (of_one, "two or more, each once"),
        (of_stale_files, "before the training of"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_words(data, member, tmp_path, members, said):
    with pytest.raises(SpectraMindError, match=said):
        blend(members(data, member), data, tmp_path / "blend", load_config())
    assert not (tmp_path / "blend" / "submission.csv").exists()


def test_a_member_is_not_written_over(data, member):
    works = [member("a", 2e-4, 1), member("b", 2e-4, 2)]
    with pytest.raises(SpectraMindError, match="new folder with --work"):
        blend(works, data, works[0], load_config())


def test_a_run_counts_as_long_as_its_files_are_its_own(data, member, tmp_path):
    works = [member("a", 2e-4, 10), member("b", 2e-4, 11)]
    run = record(works[0], "submit", outputs={"submission.csv": (works[0] / "submission.csv").read_bytes()})
    assert blend([run.folder, works[1]], data, tmp_path / "blend", load_config()).verdict.scores
    (works[0] / "submission.csv").write_bytes((works[1] / "submission.csv").read_bytes())
    with pytest.raises(SpectraMindError, match="wrote over them"):
        blend([run.folder, works[1]], data, tmp_path / "again", load_config())


def test_python_offers_it_in_a_word(data, member, tmp_path):
    works = [str(member("a", 2e-4, 10)), str(member("b", 2e-4, 11))]
    found = sm.blend(works, str(data), str(tmp_path / "blend"), "training.folds=4", equally=True)
    assert (found.verdict.weight == 0.5).all() and found.path.is_file()


def test_the_command_shows_weights_scores_and_paired_errors(data, member, tmp_path, spectramind):
    works = [member("a", 2e-4, 10), member("b", 2e-4, 11)]
    out = "--data", data, "--work", tmp_path / "blend"
    status, said, _ = spectramind("blend", *works, *out, "training.folds=3")
    assert status == 0 and "blend minus it" in said and "+-" in said and "3 planets, valid" in said
    assert find_run([tmp_path / "blend"], "blend").manifest["config"]["training"]["folds"] == 3
    status, said, _ = spectramind("blend", *works, *out, "--json")
    facts = json.loads(said)
    assert status == 0 and facts["held_out_planets"] == len(TRAIN) and len(facts["members"]) == 2
    status, said, _ = spectramind("leaderboard", "--work", tmp_path / "blend")
    assert status == 0 and "-blend" in said
    status, _, err = spectramind("blend", works[0], *out)
    assert status == 1 and "two or more" in err

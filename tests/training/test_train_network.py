"""Training: it learns what can be learned, reuses what is there, stays within its time, and judges fairly."""

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from spectramind_kit.config import load_config
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.metric import EDITIONS, unclipped_score
from spectramind_kit.networks.batch import collate
from spectramind_kit.prediction.ensemble import Member, load_ensemble
from spectramind_kit.training import launch, progress
from spectramind_kit.training import task as task_module
from spectramind_kit.training.batches import PlanetDataset
from spectramind_kit.training.examples import Examples
from spectramind_kit.training.module import corrected
from spectramind_kit.training.start_weights import WEIGHTS
from spectramind_kit.training.task import START, NetworkTask, load_task, members_of, save_task, training_code
from spectramind_kit.training.train_network import (
    _hold_back,
    new_module,
    relay,
    train_members,
    train_networks,
    train_start,
    training_loader,
    whole_checkpoint,
)
from spectramind_kit.work_folder.provenance import PACKAGE, code_hash
from tests.training.random_planets import WAVELENGTH, random_examples

TINY = ("model=v50_small", "model.d_model=8", "model.heads=2", "model.d_state=2", "model.time_layers=1")
TINY += ("model.graph_layers=1", "model.patch=10", "model.dropout=0", "loss=gll", "training.device=cpu")
TINY += ("training.epochs=12", "training.batch_size=8", "training.learning_rate=1e-2", "training.average_decay=0.8")


def task_in(folder, *overrides, seed=0, edition="2025"):
    config = load_config([*TINY, *overrides])
    folders = folder / "training", folder / "networks"
    return NetworkTask(config.model, config.loss, config.training, seed, *folders, edition=edition)


def mean_square_residual(examples, answers):
    return float(
        np.mean([((y - m) / f.sigma) ** 2 for y, (m, _), f in zip(examples.truth, answers, examples.features)])
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Networks of three folds that learned from 48 planets whose truth follows their context."""
    folder = tmp_path_factory.mktemp("trained")
    task, examples = task_in(folder, "training.epochs=30"), random_examples(48)
    train_networks(task, examples)
    return task, examples


def test_what_can_be_learned_is_learned_on_planets_never_seen(trained):
    task, examples = trained
    ensemble = load_ensemble(task.networks, WAVELENGTH)
    held_out = mean_square_residual(examples, ensemble.predictions(examples.features, examples.fold.tolist()))
    untaught = np.mean([((y - f.mean) / f.sigma) ** 2 for y, f in zip(examples.truth, examples.features)])
    assert held_out < 0.6 * untaught


def test_a_planet_nobody_has_seen_is_answered_by_all(trained):
    task, _examples = trained
    ensemble = load_ensemble(task.networks, WAVELENGTH)
    new = random_examples(2, seed=9).features
    together = ensemble.predictions(new, [None, None])
    single = [ensemble.predictions(new, [fold, fold]) for fold in range(3)]
    np.testing.assert_allclose(together[0][0], np.mean([one[0][0] for one in single], axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        together[1][1], np.exp(np.mean([np.log(one[1][1]) for one in single], axis=0)), rtol=1e-5
    )


def test_one_broken_planet_costs_one(trained):
    task, examples = trained
    ensemble = load_ensemble(task.networks, WAVELENGTH)
    broken = replace(examples.features[1], node=np.full_like(examples.features[1].node, np.nan))
    answers = ensemble.predictions([examples.features[0], broken, examples.features[2]], [None] * 3)
    assert answers[1] is None and answers[0] is not None and answers[2] is not None


def test_a_second_training_reuses_what_is_there(trained):
    task, examples = trained
    before = {path: path.stat().st_mtime_ns for path in task.networks.glob("*.safetensors")}
    train_networks(replace(task, training=replace(task.training, hours=9.0)), examples)
    assert {path: path.stat().st_mtime_ns for path in task.networks.glob("*.safetensors")} == before
    assert len(before) == 3


def test_other_data_or_settings_are_learned_anew(tmp_path):
    task, examples = task_in(tmp_path, "training.epochs=1"), random_examples(9)
    train_networks(task, examples)
    first = json.loads((task.networks / "networks.json").read_text())["key"]
    stale = task.networks / "fold7_0.safetensors"
    stale.write_bytes(b"of an earlier training")
    train_networks(replace(task, seed=5), examples)
    assert json.loads((task.networks / "networks.json").read_text())["key"] != first
    assert not stale.exists()


def test_edited_code_trains_again_and_the_record_names_the_code(tmp_path, monkeypatch):
    task, examples = task_in(tmp_path, "training.epochs=1"), random_examples(9)
    train_networks(task, examples)
    record = json.loads((task.networks / "networks.json").read_text())
    assert record["code"] == training_code() == code_hash("spectramind_kit.training.train_network")
    weights = task.weights(Member(0, 0))
    first = weights.stat().st_mtime_ns
    train_networks(task, examples)
    assert weights.stat().st_mtime_ns == first
    monkeypatch.setattr(task_module, "code_hash", lambda *modules: "edited")
    train_networks(task, examples)
    assert weights.stat().st_mtime_ns > first
    assert json.loads((task.networks / "networks.json").read_text())["code"] == "edited"


@pytest.mark.parametrize("edited", ["networks/spectramind.py", "training/losses.py", "symbolic/terms.py", "metric.py"])
def test_the_code_of_a_training_is_all_that_trains(edited, tmp_path):
    module, copy = "spectramind_kit.training.train_network", tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "kaggle" / "unrelated.py").write_text("")
    assert code_hash(module, package=copy) == training_code()
    other = shutil.copytree(copy, tmp_path / "other" / PACKAGE.name)
    (other / edited).write_text((copy / edited).read_text() + "# edited\n")
    assert code_hash(module, package=other) != training_code()


def test_weights_of_other_code_predict(trained, tmp_path):
    """A trained model may be attached to a newer kit: only training is made anew."""
    task, examples = trained
    networks = shutil.copytree(task.networks, tmp_path / "networks")
    record = json.loads((networks / "networks.json").read_text())
    (networks / "networks.json").write_text(json.dumps({**record, "code": "older", "key": "older"}))
    before, after = (
        load_ensemble(folder, WAVELENGTH).predictions(examples.features[:2], [None] * 2)
        for folder in (task.networks, networks)
    )
    np.testing.assert_array_equal(before[0][0], after[0][0])


def test_loss_and_early_stopping_follow_the_edition(tmp_path):
    examples = random_examples(16)
    batch = collate(examples.features, examples.truth)
    for edition, rules in EDITIONS.items():
        module = new_module(task_in(tmp_path, "loss.likelihood=score", edition=edition), examples, {})
        ideal = module.loss.ideal_sigma
        assert (float(ideal[0]), float(ideal[1])) == pytest.approx((rules.fgs1_sigma, rules.airs_sigma))
        assert float(module.loss.metric_weight[0] / module.loss.metric_weight[1]) == pytest.approx(rules.fgs1_weight)
        logged = {}
        module.log = lambda name, value, logged=logged, **options: logged.update({name: float(value)})
        module.eval()
        with torch.no_grad():
            module.validation_step(batch, 0)
            mean, sigma = corrected(batch, module.network(batch))
        module.on_validation_epoch_end()
        spectra = (batch.truth().double().numpy(), mean.double().numpy(), sigma.double().numpy())
        assert logged["score"] == pytest.approx(unclipped_score(*spectra, module.naive, edition), rel=1e-5)
        loss, _ = module.loss(mean, sigma, batch.truth(), step=0)
        assert float(loss) == pytest.approx(-logged["score"], rel=1e-3)


def test_another_edition_is_trained_anew(tmp_path):
    examples = random_examples(4)
    keys = {task_in(tmp_path, edition=edition).key(examples, None, ()) for edition in EDITIONS}
    assert len(keys) == len(EDITIONS)


def test_an_interrupted_member_goes_on_where_it_stood(tmp_path, monkeypatch):
    """The second run must not start over: it has fewer epochs left to make."""
    from spectramind_kit.training.module import NetworkModule

    task, examples, steps = task_in(tmp_path, "training.epochs=6"), random_examples(9), []
    original = NetworkModule.training_step

    def counted(module, batch, batch_idx):
        steps.append(module.current_epoch)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return original(module, batch, batch_idx)

    monkeypatch.setattr(NetworkModule, "training_step", counted)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train_members(task, examples, [Member(0, 0)], {}, 100.0)
    done = max(steps)
    assert done >= 2 and (task.folder / "fold0_0" / "last.ckpt").is_file()
    steps.clear()
    steps.extend([0] * 10)
    train_members(task, examples, [Member(0, 0)], {}, 100.0)
    assert steps[10] == done and steps[-1] == 5
    assert task.weights(Member(0, 0)).is_file()


def test_a_training_logs_how_far_it_is(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    task, examples = task_in(tmp_path, "training.epochs=2"), random_examples(40)
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        train_members(task, examples, [Member(0, 0)], {}, 100.0)
    lines = [message for message in caplog.messages if "epoch 2 of 2" in message]
    assert all(part in lines[-1] for part in ("network fold0_0", "loss", "score held back", "min left"))


def test_no_time_at_all_still_ends_with_usable_networks(tmp_path):
    task, examples = task_in(tmp_path, "training.hours=1e-9"), random_examples(9)
    train_networks(task, examples)
    answers = load_ensemble(task.networks, WAVELENGTH).predictions(examples.features, [None] * 9)
    assert all(np.isfinite(mean).all() and (sigma > 0).all() for mean, sigma in answers)


def test_members_start_from_what_was_learned_on_simulated_planets(tmp_path):
    task = task_in(tmp_path, "training.epochs=8", "training.batch_size=4")
    simulated = random_examples(12, seed=3)
    simulated = Examples(simulated.features, simulated.truth, np.full(12, -1), simulated.wavelength)
    train_networks(task, random_examples(6), simulated)
    start = load_file(task.weights(START))
    assert float(start["channel_head.4.weight"].abs().max()) > 0.0
    module = new_module(task, random_examples(6), start)
    for name, weight in module.network.named_parameters():
        torch.testing.assert_close(weight, start[name], msg=name)
    scales = module.network.context_scale.mean, start["context_scale.mean"]
    assert not torch.equal(*scales)  # inputs are scaled as the real planets are


def test_members_start_from_weights_in_a_folder_wherever_it_lies(tmp_path):
    task, examples = task_in(tmp_path, "training.epochs=2", "training.batch_size=4"), random_examples(6)
    keys = [task.key(examples, None, ())]
    for name in ("here", "moved"):
        (tmp_path / name).mkdir()
        if name == "here":
            shutil.copyfile(train_start(task, random_examples(12, seed=3)), tmp_path / name / WEIGHTS)
        else:
            shutil.copyfile(tmp_path / "here" / WEIGHTS, tmp_path / name / WEIGHTS)
        starting = replace(task, training=replace(task.training, start_from=str(tmp_path / name)))
        keys.append(starting.key(examples, None, ()))
    assert keys[0] != keys[1] == keys[2]
    untrained = replace(starting, training=replace(starting.training, learning_rate=1e-12))
    train_networks(untrained, examples)
    start, member = load_file(tmp_path / "here" / WEIGHTS), load_file(task.weights(Member(0, 0)))
    torch.testing.assert_close(member["channel_head.4.weight"], start["channel_head.4.weight"])


def test_the_encoder_learns_from_planets_without_label(tmp_path):
    task = task_in(tmp_path, "training.epochs=1", "training.pretraining_epochs=2")
    train_networks(task, random_examples(6), unlabelled=random_examples(6, seed=8).features)
    encoder = load_file(task.folder / "encoder.safetensors")
    assert encoder and all(name.startswith("time_encoder.") for name in encoder)


def test_examples_of_one_planet_are_held_back_together():
    examples = random_examples(40)
    twice = Examples(
        examples.features * 2, np.concatenate([examples.truth] * 2), np.tile(examples.fold, 2), examples.wavelength
    )
    learned, held = _hold_back(twice, 0.15, 0)
    ids = {each.planet_id for each in held.features}
    assert len(held) == 2 * len(ids) and not ids & {each.planet_id for each in learned.features}
    assert 4 <= len(ids) <= 8


def test_simulated_planets_are_held_back_only_where_there_are_no_others():
    examples = random_examples(40)
    alone = replace(examples, fold=np.full(40, -1))
    assert 4 <= len(_hold_back(alone, 0.15, 0)[1]) <= 8
    half = replace(examples, fold=np.where(np.arange(40) < 10, -1, examples.fold))
    held = {each.planet_id for each in _hold_back(half, 0.15, 0)[1].features}
    assert held and not held & {each.planet_id for each in examples.features[:10]}


def test_few_planets_are_all_learned_from():
    learned, held = _hold_back(random_examples(9), 0.15, 0)
    assert held is None and len(learned) == 9


def test_networks_that_are_damaged_are_named(trained, tmp_path):
    task, _ = trained
    with pytest.raises(CompetitionDataError, match="networks in .*run `spectramind train`"):
        load_ensemble(tmp_path, WAVELENGTH)
    (tmp_path / "networks.json").write_text((task.networks / "networks.json").read_text())
    (tmp_path / "fold0_0.safetensors").write_bytes(b"half a file")
    with pytest.raises(CompetitionDataError, match="networks in"):
        load_ensemble(tmp_path, WAVELENGTH)


def test_two_processes_together_take_the_batches_of_one():
    dataset = PlanetDataset(random_examples(16))
    alone = [batch.context for batch in training_loader(dataset, 8, 3)]
    shared = [list(training_loader(dataset, 8, 3, world=2, rank=rank)) for rank in range(2)]
    for step, batch in enumerate(alone):
        both = torch.cat([shared[rank][step].context for rank in range(2)])
        assert {tuple(row.tolist()) for row in both} == {tuple(row.tolist()) for row in batch}


V50_AS_ONES_OWN = """
from spectramind_kit.config import load_config
from spectramind_kit.networks.spectramind import SpectraMindV50


class Brought(SpectraMindV50):
    def __init__(self, wavelength, settings):
        super().__init__(wavelength, load_config(settings).model)
"""


def test_two_processes_learn_what_one_learns(tmp_path, caplog, monkeypatch):
    """DDP over gloo: the same global batches give the same weights, to float32.

    The two train the same network as a module of one's own, which they find in the folder that they are called from.
    """
    (tmp_path / "brought_v50.py").write_text(V50_AS_ONES_OWN)
    monkeypatch.chdir(tmp_path)
    overrides = ("training.epochs=2", "training.time_flip=0", "training.visit_dropout=0", "training.validation_share=0")
    examples = random_examples(16, folds=2)
    one, two = task_in(tmp_path / "one", *overrides), task_in(tmp_path / "two", *overrides, "training.devices=2")
    two = replace(two, model=replace(two.model, kind="brought_v50:Brought", options={"settings": list(TINY)}))
    train_networks(one, examples)
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        train_networks(two, examples)
    assert (two.networks / "source" / "brought_v50.py").is_file()
    assert any(message.startswith("network fold0_0: ") for message in caplog.messages), "what processes log is relayed"
    for member in members_of(examples, one.model):
        alone, together = load_file(one.weights(member)), load_file(two.weights(member))
        assert float(alone["wavelength_head.4.weight"].abs().max()) > 1e-3
        for name, tensor in alone.items():
            torch.testing.assert_close(together[name], tensor, atol=2e-4, rtol=2e-3, msg=name)


def test_why_a_process_failed_is_reported_in_its_own_words(tmp_path, capsys, caplog):
    with pytest.raises(FileNotFoundError):
        launch.main(tmp_path)
    written = capsys.readouterr().err.splitlines(keepends=True)
    summary = ["Traceback\n", "ChildFailedError:\n", "exitcode  : 1\n"]
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        reason = relay(["spectramind: epoch 1\n", *written, *summary])
    assert "FileNotFoundError" in reason and "task.json" in reason
    assert caplog.messages == ["epoch 1"]
    assert relay(summary) == "Traceback | ChildFailedError: | exitcode  : 1"


def test_a_task_survives_its_files(tmp_path):
    task, examples = task_in(tmp_path), random_examples(5)
    task.folder.mkdir()
    save_task(task, examples, [START, Member(1, 0)], {"a": torch.ones(2)}, 60.0)
    back, data, members, start, seconds = load_task(task.folder)
    assert dataclasses.asdict(back) == dataclasses.asdict(task)
    assert members == [START, Member(1, 0)] and seconds == 60.0
    assert data.content_hash() == examples.content_hash() and start["a"].tolist() == [1.0, 1.0]


def test_the_launched_process_reports_what_it_misses(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "spectramind_kit.training.launch", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode != 0 and "task.json" in done.stderr


@pytest.mark.parametrize("damage", ["truncated", "empty", "pickle"])
def test_a_checkpoint_that_cannot_be_read_starts_its_network_anew(tmp_path, damage, caplog):
    """A pickle could run a command, so it is not read."""
    member, ran = tmp_path / "fold0_0", tmp_path / "ran"
    member.mkdir()
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, member / "last.ckpt")
    assert whole_checkpoint(member) == member / "last.ckpt"
    content = (member / "last.ckpt").read_bytes()
    if damage == "pickle":
        torch.save({"state_dict": Command(ran)}, member / "last.ckpt")
    else:
        (member / "last.ckpt").write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    assert whole_checkpoint(member) is None and not member.exists() and not ran.exists()
    assert "starts anew" in caplog.text


class Command:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)

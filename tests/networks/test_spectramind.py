"""The network: untrained it predicts what the fit predicts, padding changes nothing, every input has an effect."""

import numpy as np
import pytest
import torch

from spectramind_kit.config import load_config
from spectramind_kit.features.planet import CONTEXT, LINEAR_PREDICTORS, NODE, Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.networks.batch import Batch, collate
from spectramind_kit.networks.spectramind import LARGEST_LN_FACTOR, LARGEST_SHIFT, SpectraMindV50, Standardisation

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
N = len(WAVELENGTH)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = load_config(["model=v50_small", "model.d_model=16", "model.d_state=4", "model.time_layers=1"]).model
    return SpectraMindV50(WAVELENGTH, model).eval()


@pytest.fixture
def awake(network):
    """The network with heads that are no longer zero."""
    torch.manual_seed(1)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for head in (network.wavelength_head, network.channel_head):
        torch.nn.init.normal_(head[-1].weight, std=0.3)
    yield network
    network.load_state_dict(state)


def planet(seed, n_visit=1, n_time=25):
    rng = np.random.default_rng(seed)
    visits = tuple(rng.standard_normal((n_time, len(SEQUENCE))).astype(np.float32) for _ in range(n_visit))
    node, context = (rng.standard_normal(shape).astype(np.float32) for shape in ((N, len(NODE)), (len(CONTEXT),)))
    return Features(seed, visits, node, context, np.full(N, 0.01), np.full(N, 1e-4))


def prediction(network, planets) -> torch.Tensor:
    with torch.inference_mode():
        correction = network(collate(planets))
    return torch.stack((correction.delta, correction.ln_factor))


def test_before_training_the_fit_s_prediction_stands(network):
    assert (prediction(network, [planet(0), planet(1, 2)]) == 0.0).all()


def test_a_planet_is_predicted_alike_in_any_batch(awake):
    alone = prediction(awake, [planet(0)])
    together = prediction(awake, [planet(1, n_visit=2, n_time=40), planet(0)])[:, 1:]
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=1e-4)
    assert alone.std() > 1e-3


def test_the_order_of_visits_means_nothing(awake):
    one = planet(3, n_visit=2)
    swapped = Features(3, one.visits[::-1], one.node, one.context, one.mean, one.sigma)
    torch.testing.assert_close(prediction(awake, [one]), prediction(awake, [swapped]), atol=2e-5, rtol=1e-4)


def test_every_kind_of_input_has_an_effect_at_every_wavelength(awake):
    batch = collate([planet(5)])
    parts = {name: getattr(batch, name).requires_grad_(True) for name in ("sequence", "node", "context")}
    correction = awake(Batch(parts["sequence"], batch.valid, parts["node"], parts["context"], batch.mean, batch.sigma))
    for wavelength in (0, 140, 282):
        slopes = torch.autograd.grad(correction.delta[0, wavelength], list(parts.values()), retain_graph=True)
        assert all(float(slope.abs().sum()) > 0 for slope in slopes), wavelength


def test_the_linear_correction_reaches_the_prediction_by_itself(network):
    """FGS1: half of the depth bias; AIRS-CH0: .3 of the second gain response, the bias's scatter in full, and 0.1."""
    features = planet(3)
    bias, _, response, scatter = (features.node[:, NODE.index(name)] for name in LINEAR_PREDICTORS)
    with torch.no_grad():
        network.linear_correction.gain.copy_(torch.tensor([[0.5, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.3, 1.0, 0.1]]))
        delta, ln_factor = prediction(network, [features])[:, 0].numpy()
        network.linear_correction.gain.zero_()
    np.testing.assert_allclose(delta[0], 10.0 * np.tanh(0.05 * bias[0]), rtol=1e-4)
    np.testing.assert_allclose(delta[1:], 10.0 * np.tanh(0.03 * response[1:]), rtol=1e-4)
    np.testing.assert_allclose(ln_factor[1:], 2.0 * np.tanh(0.5 * (scatter[1:] + 0.1)), rtol=1e-4)
    assert ln_factor[0] == 0.0


def test_predictions_stay_within_bounds_however_unusual_the_planet(awake):
    unusual = planet(7)
    unusual = Features(
        7,
        tuple(1e6 * visit for visit in unusual.visits),
        1e6 * unusual.node,
        1e6 * unusual.context,
        unusual.mean,
        unusual.sigma,
    )
    delta, ln_factor = prediction(awake, [unusual])
    assert torch.isfinite(delta).all() and delta.abs().max() <= LARGEST_SHIFT
    assert ln_factor.abs().max() <= LARGEST_LN_FACTOR


def test_bins_that_fill_no_step_are_left_out(network):
    sequence = torch.arange(2 * 12, dtype=torch.float32).reshape(1, 2, 12, 1)
    valid = torch.ones(1, 2, 12, dtype=torch.bool)
    valid[0, 1, 7:] = False
    steps, whole = network.patches(sequence.expand(-1, -1, -1, len(SEQUENCE)), valid)
    assert steps.shape == (1, 2, 2, 5 * len(SEQUENCE))
    assert whole.tolist() == [[[True, True], [True, False]]]
    assert steps[0, 0, 1, :: len(SEQUENCE)].tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]


def test_standardisation_learns_scales_and_leaves_constants_alone():
    values = np.random.default_rng(0).normal([3.0, -1.0, 5.0], [2.0, 0.1, 0.0], (4000, 3))
    scale = Standardisation(3)
    scale.learn(values)
    standard = scale(torch.as_tensor(values, dtype=torch.float32))
    np.testing.assert_allclose(standard[:, :2].std(dim=0), 1.0, atol=1e-2)
    assert standard[:, 2].abs().max() < 1e-4
    assert float(scale(torch.tensor([[1e9, 0.0, 0.0]])).max()) == 6.0


def test_a_checkpoint_holds_everything_that_predicts(awake):
    other = SpectraMindV50(
        WAVELENGTH, load_config(["model=v50_small", "model.d_model=16", "model.d_state=4", "model.time_layers=1"]).model
    ).eval()
    other.load_state_dict(awake.state_dict())
    torch.testing.assert_close(prediction(other, [planet(2)]), prediction(awake, [planet(2)]))

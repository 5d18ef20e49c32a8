"""The loss: the metric's likelihood and score, parts that add up, terms that warm up, and what is refused."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import norm

from spectramind_kit import metric
from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.simulation.system import draw_system, label_wavelengths
from spectramind_kit.symbolic import terms
from spectramind_kit.symbolic.operators import neighbour_edges
from spectramind_kit.training.losses import SpectrumLoss, differentiable_score, gaussian_nll, metric_weight

RULES = metric.EDITIONS["2025"]
NAIVE = (0.0146, 0.0106)
NAMES = [field.name for field in dataclasses.fields(load_config().loss.weights)]


@pytest.fixture(scope="module")
def wavelength():
    return label_wavelengths()


@pytest.fixture(scope="module")
def prediction():
    """Means, sigmas and truths (6, 283) of predictions that are 100 ppm off and have sigmas to match."""
    rng = np.random.default_rng(5)
    truth = np.array([draw_system(i, np.random.default_rng(i)).label() for i in range(6)])
    mean = truth + rng.normal(scale=1e-4, size=truth.shape)
    return tuple(torch.from_numpy(part) for part in (mean, rng.uniform(0.8e-4, 1.3e-4, truth.shape), truth))


@pytest.fixture(scope="module")
def graph(wavelength):
    edge_index, weight = neighbour_edges(wavelength)
    return torch.from_numpy(edge_index), torch.from_numpy(weight).float()


def configured(warm_up_steps=0, likelihood="gll", **weights):
    plain = load_config(["loss=gll"]).loss
    return dataclasses.replace(
        plain,
        likelihood=likelihood,
        warm_up_steps=warm_up_steps,
        weights=dataclasses.replace(plain.weights, **weights),
    )


def test_weights_are_the_metrics_and_sum_to_one(wavelength):
    weight = metric_weight(wavelength, RULES.fgs1_weight)
    assert weight.sum() == pytest.approx(1.0)
    assert weight[0] / weight[1] == pytest.approx(metric.FGS1_WEIGHT)
    assert weight[0] == pytest.approx(0.1702, abs=1e-4)


def test_nll_is_the_weighted_normal_density(wavelength, prediction):
    mean, sigma, truth = prediction
    weight = metric_weight(wavelength, RULES.fgs1_weight)
    expected = -np.average(norm.logpdf(truth, mean, sigma), axis=1, weights=weight)
    np.testing.assert_allclose(gaussian_nll(mean, sigma, truth, torch.from_numpy(weight)), expected)


def test_nll_by_hand():
    mean, sigma, truth = torch.zeros(1, 2), torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])
    value = gaussian_nll(mean, sigma, truth, torch.tensor([0.25, 0.75]))
    assert value.item() == pytest.approx(0.9189385 + 0.25 * 0.5 + 0.75 * (2.0 + 0.6931472))


def test_score_is_the_metrics(wavelength, prediction):
    mean, sigma, truth = prediction
    weight = torch.from_numpy(metric_weight(wavelength, RULES.fgs1_weight))
    ideal = torch.full((283,), RULES.airs_sigma, dtype=torch.float64)
    ideal[0] = RULES.fgs1_sigma
    found = differentiable_score(mean, sigma, truth, weight, ideal, NAIVE)
    np.testing.assert_allclose(found, metric.planet_scores(truth.numpy(), mean.numpy(), sigma.numpy(), NAIVE))


@pytest.mark.parametrize("edition", metric.EDITIONS)
def test_score_as_a_loss_is_minus_the_metrics(wavelength, prediction, edition):
    loss = SpectrumLoss(wavelength, configured(likelihood="score"), metric.EDITIONS[edition], NAIVE)
    total, _ = loss(*prediction, step=0)
    mean, sigma, truth = (part.numpy() for part in prediction)
    assert total.item() == pytest.approx(-metric.unclipped_score(truth, mean, sigma, NAIVE, edition), rel=1e-4)


def test_gradients_of_likelihood_and_score(wavelength, prediction):
    mean, sigma, truth = (part[:1, :4].clone() for part in prediction)
    weight = torch.from_numpy(metric_weight(wavelength[:4], RULES.fgs1_weight))
    ideal = torch.full((4,), 1e-5, dtype=torch.float64)
    unit = 1e4  # gradcheck steps by 1e-6

    def nll(m, s):
        return gaussian_nll(m / unit, s / unit, truth, weight)

    def score(m, s):
        return differentiable_score(m / unit, s / unit, truth, weight, ideal, NAIVE)

    inputs = ((unit * mean).requires_grad_(), (unit * sigma).requires_grad_())
    assert torch.autograd.gradcheck(nll, inputs) and torch.autograd.gradcheck(score, inputs)


@pytest.mark.parametrize("name", NAMES)
def test_each_weight_adds_its_own_term(wavelength, prediction, graph, name):
    loss = SpectrumLoss(wavelength, configured(**{name: 0.7}), RULES, None, *graph)
    total, parts = loss(*prediction, step=3)
    assert set(parts) == {"likelihood", name}
    mean, sigma, truth = (part.float() for part in prediction)
    if name == "sigma_calibration":
        violation = terms.sigma_calibration(mean, sigma, truth)
    elif name == "graph_laplacian":
        violation = terms.graph_laplacian(mean, loss.operators, *graph)
    else:
        violation = getattr(terms, name)(mean, loss.operators)
    assert parts[name].item() == pytest.approx(0.7 * violation.mean().item())
    assert total.item() == pytest.approx(sum(part.item() for part in parts.values()))


def test_shipped_loss_adds_little_to_the_likelihood_of_a_good_prediction(wavelength, prediction, config):
    loss = SpectrumLoss(wavelength, config.loss, RULES)
    _, sigma, truth = prediction
    total, parts = loss(truth, sigma, truth, step=10**6)
    assert 0 <= (total - parts["likelihood"]).item() < 0.01  # nats per element


def test_terms_warm_up_linearly(wavelength, prediction):
    loss = SpectrumLoss(wavelength, configured(warm_up_steps=200, curvature=1.0), RULES)
    at = {step: loss(*prediction, step=step)[1]["curvature"].item() for step in (0, 50, 200, 1000)}
    assert at[0] == 0.0
    assert at[50] == pytest.approx(0.25 * at[200])
    assert at[1000] == at[200] > 0


def test_gradients_reach_mean_and_sigma_and_stay_finite(wavelength, prediction, graph):
    loss = SpectrumLoss(wavelength, configured(**dict.fromkeys(NAMES, 1.0)), RULES, None, *graph)
    mean, sigma = (part.float().requires_grad_() for part in prediction[:2])
    loss(mean, sigma, prediction[2].float(), step=1)[0].backward()
    assert all(torch.isfinite(part.grad).all() and part.grad.abs().max() > 0 for part in (mean, sigma))


def test_half_precision_around_it_changes_nothing(wavelength, prediction, config):
    loss = SpectrumLoss(wavelength, config.loss, RULES)
    expected, _ = loss(*prediction, step=10**6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = loss(*prediction, step=10**6)
    assert found == expected


def test_terms_bring_a_noisy_spectrum_nearer_to_the_truth(wavelength):
    truth = torch.from_numpy(draw_system(4, np.random.default_rng(4)).label())[None]
    noise = 1e-4 * torch.randn(truth.shape, dtype=torch.float64, generator=torch.manual_seed(0))

    def distance(config):
        """Root mean square error of the mean that best explains a noisy measurement under a loss."""
        loss = SpectrumLoss(wavelength, config, RULES).double()
        offset = torch.zeros_like(truth, requires_grad=True)
        optimizer = torch.optim.LBFGS([offset], max_iter=30, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            sigma = torch.full_like(truth, 1e-4)
            total, _ = loss(truth + noise + 1e-4 * offset, sigma, truth + noise, step=1)
            total.backward()
            return total

        optimizer.step(closure)
        return (noise + 1e-4 * offset.detach())[0, 1:].square().mean().sqrt().item()

    assert distance(configured(curvature=0.3, band_coherence=0.1)) < 0.5 * distance(configured())


def test_score_without_the_labels_statistics_is_refused(wavelength):
    with pytest.raises(ConfigurationError, match="loss.likelihood=score.*mean and spread"):
        SpectrumLoss(wavelength, configured(likelihood="score"), RULES)


def test_graph_term_without_a_graph_is_refused(wavelength):
    with pytest.raises(ConfigurationError, match="graph_laplacian.*set it to 0"):
        SpectrumLoss(wavelength, configured(graph_laplacian=1.0), RULES)


@pytest.mark.parametrize("override", ["loss.weights.curvature=-1", "loss.likelihood=mse", "loss.warm_up_steps=-3"])
def test_values_that_make_no_loss_are_refused(override):
    with pytest.raises(ConfigurationError, match=override.split("=")[0]):
        load_config([override])


def test_plain_likelihood_has_no_terms(wavelength, prediction):
    total, parts = SpectrumLoss(wavelength, load_config(["loss=gll"]).loss, RULES)(*prediction, step=10)
    assert list(parts) == ["likelihood"] and total == parts["likelihood"]

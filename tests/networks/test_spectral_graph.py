"""The graph over wavelengths: who is linked with whom and why; and that messages go as far as hops do."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from spectramind_kit.errors import ConfigurationError, ProductError
from spectramind_kit.networks.spectral_graph import AirsSpectralGNN, SpectralGraph, spectral_graph, wavelength_code
from spectramind_kit.symbolic.bands import BANDS as BANDS_OF_THE_KIT
from spectramind_kit.symbolic.bands import MOLECULES

WAVELENGTH = np.concatenate([[0.7], np.geomspace(1.95, 3.9, 282)])
BANDS = {"H2O": [(2.5, 2.9)], "CO2": [(1.9, 2.05), (2.65, 2.85)], "CH4": [(3.2, 3.4)], "SO2": [(7.0, 8.0)]}


@pytest.fixture(scope="module")
def graph() -> SpectralGraph:
    return spectral_graph(WAVELENGTH, BANDS)


def network(graph, n_layer=2, n_channel=5, **options):
    torch.manual_seed(0)
    return AirsSpectralGNN(graph, n_channel, d_model=16, n_layer=n_layer, n_head=2, **options).eval()


def edges_of(graph, kind):
    """Return the edges of one type, (2, n)."""
    return graph.edge_index[:, graph.edge_attr[:, graph.feature_names.index(kind)] == 1.0]


def hops(graph):
    """Return how many edges lie between any two nodes, (n, n)."""
    n, (source, target) = len(graph.wavelength), graph.edge_index
    return shortest_path(coo_array((np.ones(len(source)), (source, target)), shape=(n, n)), unweighted=True)


def test_importing_the_network_loads_no_torch_geometric():
    program = "import sys, spectramind_kit.networks.spectramind; assert 'torch_geometric' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_links_run_both_ways_none_to_itself_none_twice(graph):
    pairs = set(map(tuple, graph.edge_index.T.tolist()))
    assert len(pairs) == graph.edge_index.shape[1]
    assert pairs == {(target, source) for source, target in pairs}
    assert all(source != target for source, target in pairs)
    attributes = dict(zip(map(tuple, graph.edge_index.T.tolist()), graph.edge_attr.tolist()))
    assert all(attributes[source, target] == attributes[target, source] for source, target in pairs)


def test_edges_are_counted_per_type(graph):
    assert graph.feature_names == ("neighbour", "H2O", "CO2", "CH4", "SO2", "region", "fgs1", "distance")
    # Two neighbours on either side; the first bin reaches for the third and fourth after it, the second for the third.
    inner_pairs, end_pairs = 281 + 280, 2 * 3
    assert edges_of(graph, "neighbour").shape[1] == 2 * (inner_pairs + end_pairs)
    assert edges_of(graph, "fgs1").shape[1] == 2 * 282
    for molecule, windows in BANDS.items():
        m = sum(int(((low <= WAVELENGTH) & (high >= WAVELENGTH)).sum()) for low, high in windows)
        strides = [stride for stride in (1, 4, 16, 64) if stride < m]
        assert edges_of(graph, molecule).shape[1] == 2 * m * len(strides)
    assert edges_of(graph, "SO2").shape[1] == 0
    sizes = [len(part) for part in np.array_split(np.arange(282), 8)]
    assert edges_of(graph, "region").shape[1] == sum(2 * m * 3 for m in sizes)
    assert graph.edge_index.shape[1] < 10_000


def test_bands_link_what_lies_in_them_and_far_bands_of_one_molecule(graph):
    source, target = WAVELENGTH[edges_of(graph, "CO2")]
    for side in (source, target):
        assert (((side >= 1.9) & (side <= 2.05)) | ((side >= 2.65) & (side <= 2.85))).all()
    assert ((source < 2.1) & (target > 2.6)).any()
    band = np.flatnonzero((WAVELENGTH >= 2.5) & (WAVELENGTH <= 2.9))
    place = {node: i for i, node in enumerate(band)}
    links = np.zeros((len(band), len(band)), dtype=int)
    for a, b in edges_of(graph, "H2O").T:
        links[place[a], place[b]] = 1
    assert (links.sum(axis=0) == links.sum() / len(band)).all(), "no member has more links than another"
    crossed = np.linalg.matrix_power(links + np.eye(len(band), dtype=int), 6)
    assert (crossed > 0).all(), "a message crosses the band in a few hops"


def test_the_kit_s_own_bands_make_a_sparse_graph():
    shipped = {name: [band.edges for band in BANDS_OF_THE_KIT if band.molecule == name] for name in MOLECULES}
    graph = spectral_graph(WAVELENGTH, shipped)
    assert set(shipped) <= set(graph.feature_names)
    assert 2_000 < graph.edge_index.shape[1] < 6_000
    assert all(edges_of(graph, name).shape[1] > 2 * 20 for name in ("H2O", "CO2", "CH4", "CO", "NH3"))


def test_regions_do_not_touch(graph):
    region = np.repeat(np.arange(8), [len(part) for part in np.array_split(np.arange(282), 8)])
    source, target = edges_of(graph, "region") - 1
    assert (region[source] == region[target]).all()


def test_fgs1_is_one_hop_from_every_bin_and_any_two_bins_are_two_apart(graph):
    distance = hops(graph)
    assert (distance[0, 1:] == 1).all() and (distance[1:, 0] == 1).all()
    assert distance.max() == 2


def test_distance_is_that_in_ln_wavelength(graph):
    source, target = graph.edge_index
    spacing = np.log(2.0) / 281
    bins = np.abs(np.log(WAVELENGTH[source] / WAVELENGTH[target])) / spacing
    np.testing.assert_allclose(graph.edge_attr[:, -1], np.log1p(bins), rtol=1e-5)
    nearest = graph.edge_attr[:, -1].min()
    assert nearest == pytest.approx(np.log(2.0), rel=1e-4), "the next bin is one spacing away"


def test_edges_are_sorted_by_target_and_of_the_promised_types(graph):
    assert (np.diff(graph.edge_index[1]) >= 0).all()
    assert graph.edge_index.dtype == np.int64 and graph.edge_attr.dtype == np.float32
    assert set(np.unique(graph.edge_attr[:, :-1])) == {0.0, 1.0}
    assert (graph.edge_attr[:, :-1].sum(axis=1) >= 1).all(), "every edge has a reason"
    assert "edge_index=int64[2, " in repr(graph)


def test_what_is_no_graph_is_refused():
    with pytest.raises(ConfigurationError, match="ascending"):
        spectral_graph(WAVELENGTH[::-1], BANDS)
    with pytest.raises(ConfigurationError, match="'neighbour'"):
        spectral_graph(WAVELENGTH, {"neighbour": [(2.0, 3.0)]})
    with pytest.raises(ConfigurationError, match="bands of CO"):
        spectral_graph(WAVELENGTH, {"CO": [(2.4, 2.3)]})
    with pytest.raises(ProductError, match="nodes 0 to 282.*got 283"):
        SpectralGraph(WAVELENGTH, np.array([[0], [283]]), np.ones((1, 1), dtype=np.float32), ("fgs1",))
    with pytest.raises(ConfigurationError, match="multiple of 3 heads"):
        AirsSpectralGNN(spectral_graph(WAVELENGTH, BANDS), 5, d_model=16, n_head=3)


def test_the_position_code_tells_every_wavelength_from_every_other():
    code = wavelength_code(WAVELENGTH, 16)
    assert code.shape == (283, 33) and np.abs(code).max() <= 1.0
    apart = np.linalg.norm(code[:, None] - code[None], axis=-1)
    assert apart[~np.eye(283, dtype=bool)].min() > 0.1
    np.testing.assert_array_equal(np.flatnonzero(code[:, -1]), [0])


def test_shape_and_planets_of_a_batch_do_not_see_each_other(graph):
    net, nodes = network(graph), torch.randn(5, 283, 5)
    with torch.no_grad():
        together = net(nodes)
        assert together.shape == (5, 283, 16) and torch.isfinite(together).all()
        alone = torch.cat([net(one[None]) for one in nodes])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
        order = torch.tensor([3, 0, 4, 1, 2])
        torch.testing.assert_close(net(nodes[order]), together[order], rtol=1e-4, atol=1e-5)
        assert (together[0] - together[1]).abs().max() > 0.1


@pytest.mark.parametrize("n_layer", [1, 2, 3])
def test_a_node_feels_exactly_the_nodes_within_as_many_hops_as_layers(n_layer):
    # Without FGS1's links, which make everything two hops wide.
    full = spectral_graph(WAVELENGTH, {"CO2": [(2.0, 2.06), (2.7, 2.8)]}, regions=12)
    kept = full.edge_attr[:, full.feature_names.index("fgs1")] == 0.0
    graph = SpectralGraph(WAVELENGTH, full.edge_index[:, kept], full.edge_attr[kept], full.feature_names)
    distance, net = hops(graph), network(graph, n_layer)
    nodes = torch.randn(1, 283, 5, requires_grad=True)
    for target in (40, 150):
        (gradient,) = torch.autograd.grad(net(nodes)[0, target, 3], nodes)
        felt = gradient[0].abs().amax(dim=-1).numpy() > 0
        np.testing.assert_array_equal(felt, distance[:, target] <= n_layer)


def test_every_node_feels_every_node_after_two_layers(graph):
    net, nodes = network(graph, n_layer=2), torch.randn(1, 283, 5, requires_grad=True)
    for target in (0, 1, 141, 282):
        (gradient,) = torch.autograd.grad(net(nodes)[0, target, 3], nodes)
        assert (gradient[0].abs().amax(dim=-1) > 0).all()


def test_every_weight_learns_and_edge_features_count(graph):
    net = network(graph)
    net(torch.randn(2, 283, 5)).square().sum().backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert not still, "a weight without gradient stops distributed training"
    nodes = torch.randn(1, 283, 5)
    with torch.no_grad():
        before = net(nodes)
        net.edge_attr[:, -1] += 1.0
        net._batched.clear()
        assert (net(nodes) - before).abs().max() > 1e-3


def test_dropout_is_for_training_only(graph):
    net, nodes = network(graph, dropout=0.5), torch.randn(2, 283, 5)
    with torch.no_grad():
        assert torch.equal(net(nodes), net(nodes))
        net.train()
        assert not torch.equal(net(nodes), net(nodes))


def test_edges_of_a_batch_are_made_once_and_few_are_kept(graph):
    net = network(graph)
    first = net.batched_edges(3)
    assert net.batched_edges(3)[0] is first[0]
    n = graph.edge_index.shape[1]
    assert first[0].shape == (2, 3 * n) and first[1].shape == (3 * n, 8)
    torch.testing.assert_close(first[0][:, n : 2 * n], torch.from_numpy(graph.edge_index) + 283)
    for batch in range(1, 12):
        net.batched_edges(batch)
    assert len(net._batched) <= 4


def test_a_checkpoint_holds_weights_alone(graph):
    net = network(graph)
    assert not {"edge_index", "edge_attr", "code"} & set(net.state_dict())
    torch.manual_seed(1)
    other = AirsSpectralGNN(graph, 5, d_model=16, n_layer=2, n_head=2).eval()
    other.load_state_dict(net.state_dict())
    nodes = torch.randn(1, 283, 5)
    torch.testing.assert_close(other(nodes), net(nodes))


def test_edges_that_inference_met_first_serve_training_too():
    small = AirsSpectralGNN(spectral_graph(WAVELENGTH, BANDS), 3, d_model=8, n_layer=1, n_head=2)
    nodes = torch.randn(2, len(WAVELENGTH), 3)
    with torch.inference_mode():
        small(nodes)
    small(nodes).sum().backward()
    assert all(p.grad is not None for p in small.parameters())

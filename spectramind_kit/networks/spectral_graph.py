"""The graph over wavelengths, and the network that passes messages along it.

Nodes are the wavelengths of the spectrum. Two of them are linked where light or physics separates them badly:

    neighbour   nearest bins of AIRS-CH0: light falls on several pixels, spectra are smooth
    a molecule  bins in the bands of one molecule, near or far: they deepen together
    region      bins on one stretch of the detector: they have its systematics in common
    fgs1        FGS1 and every bin of AIRS-CH0: one planet, one continuum

Members of a band or region are not linked all with all. They form a ring with chords of 4, 16, 64 ... places
(a circulant graph), so m members have of order m log m links and a message crosses in of order log m steps. Every
link runs both ways and none from a node to itself; a pair linked for several reasons is one edge that has several
types. Attention over the edges is that of Shi et al. 2021 (arXiv:2009.03509), with edge features in key and value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.errors import ConfigurationError, ProductError
from spectramind_kit.shapes import Product, require_shape

NEIGHBOUR, REGION, FGS1_LINK = "neighbour", "region", "fgs1"
DISTANCE = "distance"
_CHORD_BASE = 4
_BATCHES_CACHED = 4


@dataclass(frozen=True, repr=False)
class SpectralGraph(Product):
    """Typed, symmetric links between wavelengths.

    Attributes:
        wavelength: (n_wavelength,) [um], FGS1 first, then AIRS ascending.
        edge_index: (2, n_edge) int64, source and target of every edge; sorted by target.
        edge_attr: (n_edge, n_feature) float32: 1 or 0 for every type, then the distance as ln(1 + |d ln wavelength| /
            spacing), with the median spacing of neighbouring bins of AIRS-CH0.
        feature_names: the types, then "distance".
    """

    wavelength: np.ndarray
    edge_index: np.ndarray
    edge_attr: np.ndarray
    feature_names: tuple[str, ...]

    def __post_init__(self):
        require_shape("SpectralGraph", "edge_index", self.edge_index, (2, None))
        n_edge, n_feature = self.edge_index.shape[1], len(self.feature_names)
        require_shape("SpectralGraph", "edge_attr", self.edge_attr, (n_edge, n_feature))
        if n_edge and not 0 <= self.edge_index.min() <= self.edge_index.max() < len(self.wavelength):
            wanted = f"nodes 0 to {len(self.wavelength) - 1}"
            raise ProductError("SpectralGraph.edge_index", wanted=wanted, got=int(self.edge_index.max()))


def spectral_graph(
    wavelength: np.ndarray,
    bands: Mapping[str, Sequence[tuple[float, float]]],
    *,
    neighbours: int = 4,
    regions: int = 8,
) -> SpectralGraph:
    """Build the graph.

    Args:
        wavelength: (n_wavelength,) [um], FGS1 first, then AIRS ascending.
        bands: of every molecule, its (lowest, highest) wavelengths [um]; all bands of a molecule are one group. A
            molecule with fewer than two bins on the grid keeps its feature, so that bands may change without the
            network's shape.
        neighbours: nearest bins that each bin of AIRS-CH0 is linked with.
        regions: stretches of equal length that AIRS-CH0 is divided into.

    Raises:
        ConfigurationError: if wavelengths do not ascend, or a molecule has the name of another type or an empty band.
    """
    log_wavelength = np.log(wavelength)
    kinds = (NEIGHBOUR, *bands, REGION, FGS1_LINK)
    _check(wavelength, bands, kinds)
    airs = np.arange(1, len(wavelength))
    members = {name: airs[_in_bands(wavelength[1:], windows)] for name, windows in bands.items()}
    pairs = {NEIGHBOUR: _nearest(log_wavelength, airs, neighbours)}
    pairs |= {name: _ring_with_chords(nodes) for name, nodes in members.items()}
    pairs[REGION] = np.concatenate([_ring_with_chords(nodes) for nodes in np.array_split(airs, regions)], axis=1)
    pairs[FGS1_LINK] = np.stack([np.zeros_like(airs), airs])
    # A dense table of links per type merges what several types link, and drops the duplicates of rings whose chord is
    # half their length; 283 wavelengths make it a megabyte.
    linked = np.zeros((len(kinds), len(wavelength), len(wavelength)), dtype=bool)
    for kind, (one, other) in zip(linked, pairs.values()):
        kind[one, other] = kind[other, one] = True
    target, source = np.nonzero(linked.any(axis=0))  # row by row, so that edges come sorted by target
    spacing = np.median(np.diff(log_wavelength[1:]))
    distance = np.log1p(np.abs(log_wavelength[source] - log_wavelength[target]) / spacing)
    features = np.column_stack([linked[:, target, source].T, distance]).astype(np.float32)
    return SpectralGraph(wavelength, np.stack([source, target]), features, (*kinds, DISTANCE))


def _check(wavelength: np.ndarray, bands: Mapping, kinds: tuple[str, ...]) -> None:
    if len(wavelength) < 3 or not (np.diff(wavelength) > 0).all() or not wavelength[0] > 0:
        wanted = "FGS1, then AIRS-CH0 ascending, three of them at least"
        raise ConfigurationError("wavelengths of the graph [um]", wanted=wanted, got=np.asarray(wavelength)[:4])
    if len(set(kinds)) < len(kinds) or DISTANCE in kinds:
        wanted = f"names other than {', '.join((NEIGHBOUR, REGION, FGS1_LINK, DISTANCE))}"
        raise ConfigurationError("molecules of the graph", wanted=wanted, got=list(bands))
    empty = [name for name, windows in bands.items() if any(not low < high for low, high in windows)]
    if empty:
        raise ConfigurationError(f"bands of {empty[0]}", wanted="(lowest, highest) [um]", got=list(bands[empty[0]]))


def _in_bands(wavelength: np.ndarray, windows: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return which wavelengths (n,) lie in any of the windows."""
    inside = [(wavelength >= low) & (wavelength <= high) for low, high in windows]
    return np.any(inside, axis=0) if inside else np.zeros(len(wavelength), dtype=bool)


def _nearest(position: np.ndarray, nodes: np.ndarray, k: int) -> np.ndarray:
    """Return every node with each of its k nearest others, (2, n_pair)."""
    distance = np.abs(position[nodes, None] - position[None, nodes])
    np.fill_diagonal(distance, np.inf)
    k = min(k, len(nodes) - 1)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return np.stack([np.repeat(nodes, k), nodes[nearest].ravel()])


def _ring_with_chords(nodes: np.ndarray) -> np.ndarray:
    """Return the pairs (2, n_pair) of a ring through the nodes with chords of 4, 16, 64 ... places."""
    m, pairs, stride = len(nodes), [np.empty((2, 0), dtype=np.int64)], 1
    while stride < m:
        pairs.append(np.stack([nodes, np.roll(nodes, stride)]))
        stride *= _CHORD_BASE
    return np.concatenate(pairs, axis=1)


def wavelength_code(wavelength: np.ndarray, n_frequency: int) -> np.ndarray:
    """Return a position code (n_wavelength, 2 n_frequency + 1): waves in ln wavelength, and which node is FGS1.

    Periods go in equal ratios from twice the range of AIRS-CH0, by which its ends differ, to four bins.
    """
    position = np.log(wavelength / wavelength[1])
    length = position[-1]
    period = np.geomspace(2.0 * length, 4.0 * length / max(4, len(wavelength) - 2), n_frequency)
    phase = 2.0 * np.pi * position[:, None] / period
    is_fgs1 = (np.arange(len(wavelength)) == 0)[:, None]
    return np.concatenate([np.sin(phase), np.cos(phase), is_fgs1], axis=1).astype(np.float32)


class AirsSpectralGNN(nn.Module):
    """Message passing between wavelengths: pre-norm residual layers of graph attention.

    Args:
        graph: the links.
        n_channel: features of a node.
        d_model: width.
        n_head: heads of attention, which divide the width.
        n_layer: layers, each one hop.
        dropout: of attention, messages and hidden units.
        n_frequency: waves of the position code.

    Shape: nodes (batch, n_wavelength, n_channel) to (batch, n_wavelength, d_model).
    """

    edge_index: Tensor
    edge_attr: Tensor
    code: Tensor

    def __init__(
        self,
        graph: SpectralGraph,
        n_channel: int,
        d_model: int = 64,
        n_layer: int = 3,
        n_head: int = 4,
        dropout: float = 0.1,
        n_frequency: int = 16,
    ):
        super().__init__()
        if d_model % n_head:
            raise ConfigurationError("width of the graph network", wanted=f"a multiple of {n_head} heads", got=d_model)
        code = torch.from_numpy(wavelength_code(graph.wavelength, n_frequency))
        # The configuration determines all three: they move with the network, but are no part of its checkpoint.
        self.register_buffer("edge_index", torch.from_numpy(graph.edge_index), persistent=False)
        self.register_buffer("edge_attr", torch.from_numpy(graph.edge_attr), persistent=False)
        self.register_buffer("code", code, persistent=False)
        self.embed = nn.Linear(n_channel + code.shape[1], d_model)
        n_feature = graph.edge_attr.shape[1]
        self.layers = nn.ModuleList(_GraphLayer(d_model, n_head, n_feature, dropout) for _ in range(n_layer))
        self.norm = nn.LayerNorm(d_model)
        self._batched: dict[tuple[int, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(self, nodes: Tensor) -> Tensor:
        """Return the nodes after all hops."""
        batch, n, _ = nodes.shape
        edge_index, edge_attr = self.batched_edges(batch)
        code = self.code.to(nodes.dtype).expand(batch, -1, -1)
        x = self.embed(torch.cat([nodes, code], dim=-1)).reshape(batch * n, -1)  # (B N, D)
        for layer in self.layers:
            x = layer(x, edge_index, edge_attr)
        return self.norm(x).view(batch, n, -1)

    def batched_edges(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return the edges of ``batch`` copies of the graph side by side; those of the last few sizes are cached."""
        key = (batch, self.edge_index.device)
        if key not in self._batched:
            if len(self._batched) >= _BATCHES_CACHED:
                self._batched.clear()
            with torch.inference_mode(False):  # what validation met first must serve training too
                # A batch of graphs is one graph of as many parts: the nodes of copy i are numbered from i n on.
                first = len(self.code) * torch.arange(batch, device=self.edge_index.device)
                index = (self.edge_index[:, None, :] + first[:, None]).flatten(1)  # (2, B E)
                self._batched[key] = index, self.edge_attr.repeat(batch, 1)
        return self._batched[key]


class _GraphLayer(nn.Module):
    """One hop of graph attention and a pointwise network, each with norm before and residual around."""

    def __init__(self, d_model: int, n_head: int, n_feature: int, dropout: float):
        # Here, because the import takes longer than torch's own, and a run without networks makes no graph.
        from torch_geometric.nn import TransformerConv

        super().__init__()
        self.attention_norm, self.hidden_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.attention = TransformerConv(d_model, d_model // n_head, n_head, edge_dim=n_feature, dropout=dropout)
        self.hidden = nn.Sequential(
            nn.Linear(d_model, 2 * d_model), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * d_model, d_model)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), edge_index, edge_attr))
        return x + self.dropout(self.hidden(self.hidden_norm(x)))

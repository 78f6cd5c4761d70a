"""The answer of one query: its dense row, who is chosen, who chooses back, its sparse row."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from asa_viz.geometry import Cell
from asa_viz.views.image import FloatMap, ImageView, MaskMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure


@dataclass(frozen=True, eq=False)
class QueryView:
    """One query's attention: its dense row, who is chosen, who chooses back, and the sparse row.

    `dense` is the softmax affinity of the query with every key; `incoming` the affinity of every
    key, as a query, with this one. `weights` is what the values are multiplied by in the network.
    `incoming_ratio` is `incoming` over the threshold that key holds it against: it chooses back
    where the ratio is at least one. The scales are the query's two learned numbers; the non-local
    one is its threshold in multiples of the uniform weight, the local one multiplies the mean of
    the query's window, and `local_threshold` is that product in multiples of the uniform weight.
    Without `reciprocity`, which no network is trained for, a key needs only be chosen to be kept.
    `incoming_ratio` is infinite where a key's threshold is 0. `image` is the image that the query
    lies in; without it nothing can be drawn.
    """

    query: Cell
    dense: FloatMap
    incoming: FloatMap
    incoming_ratio: FloatMap
    weights: FloatMap
    chosen: MaskMap
    chooses_back: MaskMap
    local: MaskMap
    nonlocal_scale: float
    local_scale: float
    local_threshold: float
    reciprocity: bool = True
    image: ImageView | None = None

    @property
    def reciprocal(self) -> MaskMap:
        """The reciprocal neighbours: keys that are chosen and choose back."""
        return self.chosen & self.chooses_back

    @property
    def support(self) -> MaskMap:
        """The keys kept: reciprocal or local. If there is none, the query reads itself."""
        return (self.reciprocal if self.reciprocity else self.chosen) | self.local

    @property
    def kept_mass(self) -> float:
        """The share of the dense row's mass on the support."""
        return float(self.dense[self.support].sum())

    @property
    def dense_times_uniform(self) -> FloatMap:
        """The dense row in multiples of the uniform weight."""
        return self.dense * self.dense.size

    @property
    def weights_times_uniform(self) -> FloatMap:
        """The sparse row in multiples of the uniform weight."""
        return self.weights * self.weights.size

    def figure(self) -> "PlotlyFigure":
        """Return the panels as one interactive Plotly figure.

        The maps have the grid's resolution, with row, column and value of the cell under the
        pointer; all panels zoom together. Needs the extra `notebook`.

        Raises:
            ValueError: the view has no image.
        """
        from asa_viz.figures.interactive import interactive_figure

        return interactive_figure(self)

    def panels(self, names: "Sequence[str] | None" = None, width: float = 7.0) -> "Figure":
        """Return the panels as a matplotlib figure, to be saved as PDF or SVG without a browser.

        `names` chooses among "photo", "dense", "sparse", "groups", "thresholds" and
        "segmentation", all of them by default; `width` is that of the figure in inches. Texts and
        axes are vectors, and texts stay texts. Needs the extra `notebook`.

            view.panels(["photo", "dense", "sparse"]).savefig("attention.pdf")

        Raises:
            ValueError: the view has no image, or there is no panel of a name.
        """
        from asa_viz.figures.paper import paper_figure

        return paper_figure(self, names, width)


@dataclass(frozen=True, eq=False)
class MeanView:
    """The mean answer of a set of cells as one query.

    `dense`, `incoming` and `weights` are means over the set; the others are the share of the set's
    cells for which it holds: choosing a key, being chosen back, both, local, kept.
    """

    dense: FloatMap
    incoming: FloatMap
    weights: FloatMap
    chosen: FloatMap
    chooses_back: FloatMap
    reciprocal: FloatMap
    local: FloatMap
    support: FloatMap

    @classmethod
    def of(cls, views: Sequence[QueryView]) -> "MeanView":
        """Return the mean of several queries' answers."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: np.mean([getattr(v, name) for v in views], axis=0) for name in names})

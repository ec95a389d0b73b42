"""Clusters and the tree that tells them, by scikit-learn: an optional extra, asked for when it is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.domain.errors import Fault, Invalid
from app.domain.segmentation.clusters import BOOTSTRAPS, STABLE, Box, merged, readable
from app.domain.segmentation.validation import adjusted_rand

SEED = 20_260_101
STARTS, LEAST = 3, 5
"""Beginnings that clusters are sought from; accounts that a leaf of the tree needs."""
SKEWED = 2.0
"""The skewness from which values that are never below 0 are taken by their logarithm."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A cluster for each row, largest first; the means of each, in standard deviations off that of all; how far clusters of
    rows drawn anew agree with them, of so many draws: fewer than BOOTSTRAPS where no more could lift it to STABLE; and the
    boxes that tell them."""

    labels: tuple[int, ...]
    offs: tuple[tuple[float, ...], ...]
    stability: float
    draws: int
    boxes: tuple[Box, ...]


def grouped(fields: Sequence[str], columns: Sequence[Sequence[float]], whole: Sequence[bool], count: int) -> Grouped:
    """So many clusters of rows, each field a column. Raises Invalid where scikit-learn is not installed."""
    try:
        from sklearn.cluster import KMeans
        from sklearn.tree import DecisionTreeClassifier
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no stubs
    except ImportError:
        message = "Expected scikit-learn, which is not installed here: install Strata with its extra, strata[clusters]."
        raise Invalid(faults=(Fault(message, pointer="/kind"),)) from None
    raw = np.array(columns, dtype=np.float64).T
    scaled = np.column_stack([_scaled(column) for column in raw.T])

    def fitted(rows: Any) -> Any:
        return KMeans(count, n_init=STARTS, random_state=SEED).fit(rows)

    # More threads than the requests leave free would wait for each other.
    with threadpool_limits(1):
        found = fitted(scaled).labels_
        order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
        labels = np.argsort(order)[found]
        drawn = np.random.default_rng(SEED)
        agreed: list[float] = []
        while len(agreed) < BOOTSTRAPS and sum(agreed) + BOOTSTRAPS - len(agreed) >= STABLE * BOOTSTRAPS:
            other = fitted(scaled[drawn.integers(0, len(raw), len(raw))]).predict(scaled)
            agreed.append(adjusted_rand(labels.tolist(), other.tolist()))
    stability = sum(agreed) / len(agreed)
    least = max(LEAST, len(raw) // 100)
    tree = DecisionTreeClassifier(max_leaf_nodes=2 * count, max_depth=4, min_samples_leaf=least, random_state=SEED)
    tree.fit(raw, labels)
    offs = tuple(tuple(scaled[labels == n].mean(axis=0).tolist()) for n in range(count))
    return Grouped(tuple(labels.tolist()), offs, stability, len(agreed), merged(_boxes(tree, fields, whole)))


def _scaled(column: Any) -> Any:
    """About 0, in standard deviations."""
    spread = column.std()
    if spread == 0:
        return column * 0
    if column.min() >= 0 and ((column - column.mean()) ** 3).mean() / spread**3 > SKEWED:
        column = np.log1p(column)
    return (column - column.mean()) / column.std()


def _boxes(tree: Any, fields: Sequence[str], whole: Sequence[bool]) -> list[Box]:
    """The leaves, their sides at readable thresholds: what the tree says is `value <= threshold`, criteria say from below."""
    nodes, found = tree.tree_, []
    todo: list[tuple[int, dict[str, tuple[float, float]]]] = [(0, {})]
    while todo:
        at, sides = todo.pop()
        if nodes.children_left[at] < 0:
            found.append(Box(int(tree.classes_[nodes.value[at][0].argmax()]), sides))
            continue
        place = int(nodes.feature[at])
        name, cut = fields[place], readable(float(nodes.threshold[at]), whole[place])
        low, high = sides.get(name, (-math.inf, math.inf))
        todo.append((int(nodes.children_left[at]), {**sides, name: (low, min(high, cut))}))
        todo.append((int(nodes.children_right[at]), {**sides, name: (max(low, cut), high)}))
    return found

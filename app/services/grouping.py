"""Clusters and the tree that tells them, by scikit-learn: an optional extra, asked for when it is needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from app.domain.errors import NotInstalled
from app.domain.segmentation.clusters import AGREED, BOOTSTRAPS, DIGITS, MOST_DIGITS, STABLE, Box, merged, readable
from app.domain.segmentation.validation import adjusted_rand

SEED = 20_260_101
STARTS, LEAST = 3, 5
"""Beginnings that clusters are sought from; accounts that a leaf of the tree needs where no cluster is smaller."""
LEAVES = 3
"""Leaves for each cluster that a tree has at most."""
WELL, CLOSE = 0.95, 0.01
"""The agreement with which no larger tree is sought; and how much of it is given up for one that is easier to read."""
INSTALL = "In the folder of Strata run `make clusters`, then start Strata again."
SKEWED = 2.0
"""The skewness from which values that are never below 0 are taken by their logarithm."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A cluster for each row, the largest first, on one field the highest; the medians of each, in standard deviations off the
    mean of all; how far clusters of rows drawn anew agree with them, of so many draws: fewer than BOOTSTRAPS where no more
    could lift it to STABLE; the boxes that tell them, and the cluster in whose box each row lies."""

    labels: tuple[int, ...]
    offs: tuple[tuple[float, ...], ...]
    stability: float
    draws: int
    boxes: tuple[Box, ...]
    placed: tuple[int, ...]

    @property
    def agreement(self) -> float:
        """The share of rows that the boxes place as the clusters did."""
        return sum(one == label for one, label in zip(self.placed, self.labels, strict=True)) / len(self.labels)


def grouped(fields: Sequence[str], columns: Sequence[Sequence[float]], whole: Sequence[bool], count: int) -> Grouped:
    """So many clusters of rows, each field a column. Raises NotInstalled where scikit-learn is not there."""
    try:
        from sklearn.cluster import KMeans
        from sklearn.tree import DecisionTreeClassifier
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no stubs
    except ImportError:
        raise NotInstalled(f"Clusters need scikit-learn, which is not installed here. {INSTALL}") from None
    raw = np.array(columns, dtype=np.float64).T
    scaled = np.column_stack([_scaled(column) for column in raw.T])

    def fitted(rows: Any) -> Any:
        return KMeans(count, n_init=STARTS, random_state=SEED).fit(rows)

    # More threads than the requests leave free would wait for each other.
    with threadpool_limits(1):
        found = fitted(scaled).labels_
        labels = np.argsort(_order(found, scaled, count))[found]
        drawn = np.random.default_rng(SEED)
        agreed: list[float] = []
        while len(agreed) < BOOTSTRAPS and sum(agreed) + BOOTSTRAPS - len(agreed) >= STABLE * BOOTSTRAPS:
            other = fitted(scaled[drawn.integers(0, len(raw), len(raw))]).predict(scaled)
            agreed.append(adjusted_rand(labels.tolist(), other.tolist()))
    stability = sum(agreed) / len(agreed)
    offs = tuple(tuple(np.median(scaled[labels == n], axis=0).tolist()) for n in range(count))
    least = raw.min(axis=0)  # trees hold single precision: far from 0 values would be one
    tree = _told(partial(DecisionTreeClassifier, random_state=SEED), raw - least, labels, count)
    boxes, placed = _readable(tree, fields, whole, least, raw, labels)
    return Grouped(tuple(labels.tolist()), offs, stability, len(agreed), boxes, tuple(placed.tolist()))


def _order(found: Any, scaled: Any, count: int) -> Any:
    """On one field the highest first, else the largest."""
    sizes = np.bincount(found, minlength=count)
    if scaled.shape[1] == 1:
        return np.argsort(-np.bincount(found, scaled[:, 0], minlength=count) / np.maximum(sizes, 1), kind="stable")
    return np.argsort(-sizes, kind="stable")


def _told(grown: Callable[..., Any], rows: Any, labels: Any, count: int) -> Any:
    """Of the trees that tell most clusters well the one with the fewest leaves. Small clusters are given more weight where
    they are lost without."""
    smallest = int(np.bincount(labels, minlength=count).min())
    least = min(max(LEAST, len(rows) // 100), max(1, smallest // 2))
    found: list[tuple[bool, int, float, Any]] = []
    for weights in (None, "balanced"):
        for leaves in range(count, LEAVES * count + 1):
            tree = grown(max_leaf_nodes=leaves, min_samples_leaf=least, class_weight=weights).fit(rows, labels)
            agreed, told = float(tree.score(rows, labels)), len(set(_classes(tree)))
            found.append((agreed >= AGREED, told, agreed, tree))
            if told == count and agreed >= WELL:
                break
        if any(good and told == count for good, told, _, _ in found):
            break
    good, most, _, _ = max(found, key=lambda one: one[:3])
    equal = [(agreed, tree) for of, told, agreed, tree in found if (of, told) == (good, most)]
    best = max(agreed for agreed, _ in equal)
    return next(tree for agreed, tree in equal if agreed >= best - CLOSE)


def _classes(tree: Any) -> list[int]:
    """The cluster of each leaf."""
    nodes = tree.tree_
    return [int(tree.classes_[value[0].argmax()]) for value in nodes.value[nodes.children_left < 0]]


def _readable(
    tree: Any, fields: Sequence[str], whole: Sequence[bool], least: Any, raw: Any, labels: Any
) -> tuple[tuple[Box, ...], Any]:
    """Its leaves at thresholds of as few digits as place the rows nearly as well, and the cluster of each row."""
    agreed, told = float(tree.score(raw - least, labels)), set(_classes(tree))
    digits = DIGITS
    while True:
        boxes = merged(_boxes(tree, fields, whole, least, digits))
        placed = _placed(boxes, fields, raw)
        alike = {box.cluster for box in boxes} == told and float((placed == labels).mean()) >= agreed - CLOSE
        if alike or digits == MOST_DIGITS:
            return boxes, placed
        digits += 1


def _placed(boxes: Sequence[Box], fields: Sequence[str], raw: Any) -> Any:
    """The cluster of the box that each row lies in."""
    placed = np.full(len(raw), -1)
    for box in boxes:
        inside = np.ones(len(raw), dtype=bool)
        for name, (low, high) in box.sides.items():
            column = raw[:, fields.index(name)]
            inside &= (column >= low) & (column < high)
        placed[inside] = box.cluster
    return placed


def _scaled(column: Any) -> Any:
    """About 0, in standard deviations."""
    spread = column.std()
    if spread == 0:
        return column * 0
    if column.min() >= 0 and ((column - column.mean()) ** 3).mean() / spread**3 > SKEWED:
        column = np.log1p(column)
    return (column - column.mean()) / column.std()


def _boxes(tree: Any, fields: Sequence[str], whole: Sequence[bool], least: Any, digits: int) -> list[Box]:
    """The leaves that hold anything, their sides at thresholds of so many digits: what the tree says is `value <= threshold`, criteria say from below."""
    nodes, found = tree.tree_, []
    todo: list[tuple[int, dict[str, tuple[float, float]]]] = [(0, {})]
    while todo:
        at, sides = todo.pop()
        if nodes.children_left[at] < 0:
            found.append(Box(int(tree.classes_[nodes.value[at][0].argmax()]), sides))
            continue
        place = int(nodes.feature[at])
        name, cut = fields[place], readable(float(nodes.threshold[at] + least[place]), whole[place], digits)
        low, high = sides.get(name, (-math.inf, math.inf))
        todo.append((int(nodes.children_left[at]), {**sides, name: (low, min(high, cut))}))
        todo.append((int(nodes.children_right[at]), {**sides, name: (max(low, cut), high)}))
    return [box for box in found if all(low < high for low, high in box.sides.values())]

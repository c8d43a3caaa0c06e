"""The largest error found by search: a lower bound of what any certificate must allow.

Frank-Wolfe ascent of +-(g - f)_i from many starts at once, then from around the best point. Target and gap run side by side, as in the
bounds, so that small gaps are not lost in rounding; the best point is evaluated again with outward rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Ball, Box, Floats, InputError
from strong_lth.networks.difference_interval import difference_intervals
from strong_lth.networks.layer_pair import InputSet, LayerPair, check_chain, input_set

REFINE = (0.5, 0.2, 0.1)  # rounds that start again near the best point, and how much of it they change at most


def search_difference(
    layers: Sequence[LayerPair],
    domain: Box | Ball,
    *,
    seed: int = 0,
    restarts: int = 128,
    steps: int = 20,
    starts: ArrayLike | None = None,
) -> tuple[float, Floats]:
    """Largest max_i |g(x)_i - f(x)_i| found, rounded down rigorously (0 at least), and its point x in the domain, shape (inputs,).

    ``restarts`` ascents of ``steps`` steps run side by side, each on one output and sign, and again around the best point; ``starts``
    (points, inputs) adds points to begin from, such as data, moved into the domain. Equal arguments give equal results.

    >>> layer = LayerPair(np.array([[1.0, -1.0]]), np.zeros(1), np.array([[0.25, -0.5]]), None, np.zeros(1), 0.0)
    >>> found, point = search_difference([layer], Box(0, 1))
    >>> round(found, 12), point
    (0.5, array([0., 1.]))
    """
    check_chain(layers)
    rng, pair, restarts = np.random.default_rng(seed), _Pair.of(layers), max(1, restarts)
    with np.errstate(all="ignore"):
        inputs = input_set(domain, layers[0].weight.shape[1])
        pool = _into(inputs, _pool(rng, inputs, restarts, starts))
        point = _ascend(pair, inputs, pool, _goals(pair, pool, restarts), steps)
        for fresh in REFINE:
            near = _near(rng, inputs, point, restarts, fresh)
            point = _ascend(pair, inputs, near, _one_goal(pair, point, near.shape[1]), steps)
        point = point_in_domain(domain, point)
        return error_at(layers, point), point


def error_at(layers: Sequence[LayerPair], point: Floats) -> float:
    """Rigorous lower bound of max_i |g(x)_i - f(x)_i| at one point: the gap's interval over the box that is this point."""
    here = InputSet(point, point, point, np.zeros(point.shape), 0.0, ball=False)
    with np.errstate(all="ignore"):
        ranges = difference_intervals(layers, here)
    if not all(r.finite for r in ranges):
        return 0.0
    return max(0.0, float(np.max(np.maximum(ranges[-1].gap_low, -ranges[-1].gap_high))))


def point_in_domain(domain: Box | Ball, point: Floats) -> Floats:
    """The point itself if it lies in the domain exactly, else one nearby that does."""
    if isinstance(domain, Box):
        return np.clip(point, *domain.ends(point.size)) + 0.0
    center = np.array(np.broadcast_to(np.asarray(domain.center, dtype=np.float64), point.shape))
    limit = Fraction(domain.radius) ** 2
    away = point - center
    for share in (1.0, 1 - 2.0**-50, 1 - 2.0**-40, 1 - 2.0**-20, 0.5):
        trial = center + share * away
        if np.isfinite(trial).all() and _squared_distance(trial, center) <= limit:
            return trial
    return center


def _squared_distance(x: Floats, y: Floats) -> Fraction:
    return sum(((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True)), Fraction(0))


def _pool(rng: np.random.Generator, inputs: InputSet, count: int, starts: ArrayLike | None) -> Floats:
    """Starting points as columns: the center, given ones, extreme ones, inner ones."""
    dim = inputs.low.size
    wide = rng.standard_normal((dim, count))
    if inputs.ball:
        extreme = inputs.center[:, None] + inputs.radius * _unit(wide)
    else:
        extreme = np.where(wide > 0, inputs.high[:, None], inputs.low[:, None])
    inner = inputs.center[:, None] + (extreme - inputs.center[:, None]) * rng.random((dim, count))
    given = np.zeros((0, dim)) if starts is None else np.atleast_2d(np.asarray(starts, dtype=np.float64))
    if given.ndim != 2 or given.shape[1] != dim or not np.isfinite(given).all():
        raise InputError("starts", f"shape {given.shape}", f"give finite points of {dim} coordinates, one per row")
    return np.hstack([inputs.center[:, None], given.T, extreme, inner])


def _unit(directions: Floats) -> Floats:
    norms = np.linalg.norm(directions, axis=0)
    return directions / np.where(norms > 0, norms, 1.0)


def _into(inputs: InputSet, points: Floats) -> Floats:
    """Move columns into the set."""
    points = np.clip(points, inputs.low[:, None], inputs.high[:, None])
    if not inputs.ball:
        return points
    away = points - inputs.center[:, None]
    norms = np.linalg.norm(away, axis=0)
    return inputs.center[:, None] + away * np.minimum(1.0, inputs.radius / np.where(norms > 0, norms, 1.0))


def _near(rng: np.random.Generator, inputs: InputSet, point: Floats, count: int, fresh: float) -> Floats:
    """The point, and columns that share all but some coordinates (a random share up to ``fresh``) with it."""
    other = _pool(rng, inputs, count, None)[:, 1 : count + 1]
    kept = rng.random((point.size, count)) >= fresh * rng.random(count)
    return _into(inputs, np.hstack([point[:, None], np.where(kept, point[:, None], other)]))


Goals = tuple[NDArray[np.intp], NDArray[np.intp], Floats]  # per restart: column of the pool, output, sign


def _goals(pair: _Pair, pool: Floats, restarts: int) -> Goals:
    """The outputs and signs of largest error in the pool, in turn, each from its best points in turn."""
    errors = pair.gap(pool)
    goals = np.vstack([errors, -errors])
    order = np.argsort(-goals.max(1), kind="stable")[:restarts]
    goal, rank = order[np.arange(restarts) % order.size], np.arange(restarts) // order.size
    ranked = np.argsort(-goals, axis=1, kind="stable")
    column = ranked[goal, np.minimum(rank, pool.shape[1] - 1)]
    return column, goal % errors.shape[0], np.where(goal < errors.shape[0], 1.0, -1.0)


def _one_goal(pair: _Pair, point: Floats, count: int) -> Goals:
    """The output and sign of the largest error at a point, for each of ``count`` columns."""
    _, output, sign = _goals(pair, point[:, None], 1)
    return np.arange(count), np.repeat(output, count), np.repeat(sign, count)


def _ascend(pair: _Pair, inputs: InputSet, pool: Floats, goals: Goals, steps: int) -> Floats:
    """Best point of all ascents: step t goes 2 / (t + 2) of the way to the extreme point that the gradient asks for (Frank-Wolfe)."""
    best_point, best = _best(pool, np.abs(pair.gap(pool)).max(0), pool[:, 0], -np.inf)
    column, output, sign = goals
    x = pool[:, column]
    for step in range(steps):
        errors, slope = pair.gap_and_gradient(x, output, sign)
        best_point, best = _best(x, np.abs(errors).max(0), best_point, best)
        if inputs.ball:
            aim = inputs.center[:, None] + inputs.radius * _unit(slope)
        else:
            aim = np.where(slope > 0, inputs.high[:, None], np.where(slope < 0, inputs.low[:, None], x))
        x = aim if step == 0 else x + 2 / (step + 2) * (aim - x)
    return _best(x, np.abs(pair.gap(x)).max(0), best_point, best)[0]


def _best(points: Floats, errors: Floats, point: Floats, error: float) -> tuple[Floats, float]:
    place = int(np.argmax(np.where(np.isnan(errors), -np.inf, errors)))
    return (points[:, place].copy(), float(errors[place])) if errors[place] > error else (point, error)


@dataclass(frozen=True)
class _Pair:
    """Target and gap as functions of columns of inputs, in plain floating point."""

    layers: tuple[LayerPair, ...]
    tickets: tuple[Floats, ...]

    @classmethod
    def of(cls, layers: Sequence[LayerPair]) -> _Pair:
        return cls(tuple(layers), tuple(layer.ticket_weight for layer in layers))

    def _fronts(self, x: Floats) -> list[tuple[Floats, Floats]]:
        """(h, d) in front of each ReLU, and of the outputs last."""
        first = self.layers[0]
        gap = first.residual @ np.maximum(x, 0) + first.minus @ np.minimum(x, 0) + first.bias_residual[:, None]
        fronts = [(first.weight @ x + first.bias[:, None], gap)]
        for layer, ticket in zip(self.layers[1:], self.tickets[1:], strict=True):
            h, d = fronts[-1]
            passed = np.where(h >= 0, np.maximum(d, -h), np.maximum(h + d, 0.0))
            active = np.maximum(h, 0.0)
            gap = ticket @ passed + layer.residual @ active + layer.bias_residual[:, None]
            fronts.append((layer.weight @ active + layer.bias[:, None], gap))
        return fronts

    def gap(self, x: Floats) -> Floats:
        """g(x) - f(x), shape (outputs, columns)."""
        return self._fronts(x)[-1][1]

    def gap_and_gradient(self, x: Floats, output: NDArray[np.intp], sign: Floats) -> tuple[Floats, Floats]:
        """g(x) - f(x), and the gradient in x of sign_k (g - f)_output_k for each column k."""
        fronts = self._fronts(x)
        by_gap = np.zeros(fronts[-1][1].shape)
        by_gap[output, np.arange(output.size)] = sign
        by_value = np.zeros(by_gap.shape)
        for number in range(len(self.layers) - 1, 0, -1):
            layer, (h, d) = self.layers[number], fronts[number - 1]
            after_gap = self.tickets[number].T @ by_gap
            after_value = layer.residual.T @ by_gap + layer.weight.T @ by_value
            on, ticket_on = h > 0, h + d > 0
            by_value = after_value * on + after_gap * (ticket_on.astype(float) - on)
            by_gap = after_gap * ticket_on
        first = self.layers[0]
        through = first.residual.T @ by_gap
        if first.residual_negative is not None:
            through = np.where(x > 0, through, first.residual_negative.T @ by_gap)
        return fronts[-1][1], through + first.weight.T @ by_value

"""The tail of the gamma distribution, hence of chi-squared, where SciPy is not installed."""

from __future__ import annotations

import math


def upper_gamma_share(shape: float, point: float) -> float:
    """P(G ≥ point) for G of a gamma distribution of this shape and scale 1 (Press et al., Numerical Recipes, 6.2)."""
    if point <= 0:
        return 1.0
    front = math.exp(shape * math.log(point) - point - math.lgamma(shape))
    return 1 - front * _series(shape, point) if point < shape + 1 else front * _continued_fraction(shape, point)


def _series(shape: float, point: float) -> float:
    term = total = 1 / shape
    step = shape
    while term > total * 1e-16:
        step += 1
        term *= point / step
        total += term
    return total


def _continued_fraction(shape: float, point: float) -> float:
    """Modified Lentz's method."""
    tiny = 1e-300
    b = point + 1 - shape
    c, d = 1 / tiny, 1 / b
    value, index = d, 0
    while True:
        index += 1
        a = -index * (index - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            return value

"""Kernels from coefficients, and activations that have them."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations import derive, network
from derivations.errors import InputError
from derivations.learning.profile import (
    activation_expression,
    hermite_coefficients,
    power_masses,
    profile_expansion,
)  # fmt: skip
from derivations.spectrum.gegenbauer import gegenbauer_expansion
from derivations.symbols import d as d_
from derivations.symbols import m as m_


@pytest.mark.parametrize("d", [3, 10, 500])
def test_masses_of_a_power_are_the_known_ones(d: int):
    """N_k j! / (2^j ((j-k)/2)! (d/2)_{(j+k)/2}), in fractions."""
    for j in range(9):
        masses = power_masses(j, d)
        for k in range(j + 1):
            exact = Fraction(0)
            if (j - k) % 2 == 0:
                rising = Fraction(1)
                for i in range((j + k) // 2):
                    rising *= Fraction(d, 2) + i
                count = Fraction(2 * k + d - 2, d - 2)
                for i in range(1, k + 1):
                    count *= Fraction(d - 3 + i, i)
                exact = count * factorial(j) / (2**j * factorial((j - k) // 2) * rising)
            assert masses[k] == pytest.approx(float(exact), rel=1e-13, abs=1e-300)


coefficients = st.lists(st.floats(0, 1).map(lambda c: c if c > 1e-3 else 0.0), min_size=2, max_size=6)


@settings(deadline=None, max_examples=12)
@given(c=coefficients, gates=st.integers(0, 2), d=st.integers(2, 40), width=st.integers(1, 500))
def test_the_activation_that_is_printed_has_the_kernel(c, gates: int, d: int, width: int):
    c = [0.0] * gates + c
    expression = activation_expression(c, gates, d, width) if any(c) else ""
    if "z" not in expression:
        return  # a constant is no activation
    described = network(expression=expression, gates=gates)
    found = derive(described, order=len(c) - 1).expansion.coefficients
    values = [float(value.subs({m_: width, d_: d})) for value in found]
    # Twelve digits of each of the expression's numbers; low coefficients are sums over those above.
    np.testing.assert_allclose(values, c, atol=1e-9 * sum(c))


def test_the_expansion_is_that_of_the_printed_network():
    c, d, width = (0.0, 0.2, 0.5, 0.3), 30, 70
    described = network(expression=activation_expression(c, 1, d, width), gates=1)
    found, wanted = gegenbauer_expansion(described, d, width, 3), profile_expansion(c, d)
    np.testing.assert_allclose(found.masses, wanted.masses, rtol=1e-9, atol=1e-12)
    assert wanted.total == pytest.approx(1)


def test_the_width_does_not_matter():
    for width in (1, 100, 10**6):
        a = hermite_coefficients((0.0, 0.25, 0.75), 1, 50, width)
        np.testing.assert_allclose((width + 50 * np.array([1, 2])) * a**2, [0.25, 0.75])


def test_degrees_below_the_gates_cannot_be_had():
    with pytest.raises(InputError, match="profile must start at degree 2 with 2 gates"):
        hermite_coefficients((0.0, 0.5, 0.5), 2, 50, 10)
    with pytest.raises(InputError, match="width must be a positive integer, got 0"):
        hermite_coefficients((0.0, 0.5, 0.5), 1, 50, 0)

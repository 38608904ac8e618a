r"""The gradient of one hidden unit with respect to its input: its second moment, path by path, and at large scale.

For a plain unit \(h(x) = \phi(w\cdot x)\) and a gated one \(h(x) = \phi(w\cdot x)\,(v\cdot x)\), with independent
\(w \sim N(0, \sigma_w^2 I_d)\), \(v \sim N(0, \sigma_v^2 I_d)\), \(u = w\cdot x\) and \(s = \sigma_w|x|\),

\[ \nabla_x h = \phi'(u)\,w, \qquad \nabla_x h = \phi'(u)\,(v\cdot x)\,w + \phi(u)\,v: \]

the gated unit has a path through the gate, as the plain one, and a linear path through v. Then

\[ E|\nabla_x h|^2 = \sigma_w^2\Big[(d-1)E\phi'^2 + \frac{E[u^2\phi'^2]}{s^2}\Big], \qquad
   E|\nabla_x h|^2 = \sigma_v^2\Big[s^2(d-1)E\phi'^2 + E[u^2\phi'^2] + d\,E\phi^2 + 2E[u\phi\phi']\Big] \]

(gate path, linear path, cross term). With the Euler operator \(D = d + s\,\partial_s\) these are
\(\sigma_w^2 D E\phi'^2\) and \(\sigma_v^2(s^2 D E\phi'^2 + D E\phi^2)\).

`expectations` closes the four expectations, `second_moments` derives what they enter, `large_scale` says what is left of it
as s grows, for activations of `saturation` without closed forms; `derivation` is the entry point.
"""

from derivations.input_gradient.derivation import InputGradient, input_gradient
from derivations.input_gradient.expectations import (
    EXPECTATIONS,
    PRODUCT,
    SLOPE_SQUARE,
    SQUARE,
    WEIGHTED_SLOPE_SQUARE,
)
from derivations.input_gradient.second_moments import GENERAL, SecondMoments

__all__ = [
    "EXPECTATIONS",
    "GENERAL",
    "PRODUCT",
    "SLOPE_SQUARE",
    "SQUARE",
    "WEIGHTED_SLOPE_SQUARE",
    "InputGradient",
    "SecondMoments",
    "input_gradient",
]

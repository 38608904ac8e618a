"""The gated linear unit and its family: what its authors state, transcribed as data.

Dauphin, Fan, Auli, Grangier: Language Modeling with Gated Convolutional Networks, arXiv:1612.08083, 2016. Shazeer: GLU
Variants Improve Transformer, arXiv:2002.05202, 2020. One hidden unit: ``u_1`` = w.x is the preactivation of the
activation's weights w, ``h1_1`` = v.x the value of the linear factor's weights v.
"""

from __future__ import annotations

import sympy as sp

from derivations.sources.statement import Statement
from derivations.symbols import Phi, gate_values, gate_weights, l, u_1, w

LINEAR = gate_values(1)[0]
BIAS, GATE_BIAS = sp.symbols("b b_gate", real=True)
"""Biases of the linear factor and of the activation."""

STATEMENTS: dict[str, Statement] = {
    "C1": Statement(
        "C1",
        "the gated linear unit and its variants, one hidden unit each",
        "Dauphin et al. 2016, section 2 (glu); Shazeer 2020, section 2 (the others)",
        "biases as printed: with glu alone",
        (
            ("glu", (LINEAR + BIAS) / (1 + sp.exp(-(u_1 + GATE_BIAS)))),
            ("swiglu", u_1 / (1 + sp.exp(-u_1)) * LINEAR),
            ("geglu", u_1 * (1 + sp.erf(u_1 / sp.sqrt(2))) / 2 * LINEAR),
            ("reglu", sp.Max(0, u_1) * LINEAR),
            ("bilinear", u_1 * LINEAR),
        ),
        "the networks of these names are these units, and with biases have the kernel that is derived with biases",
    ),
    "C3": Statement(
        "C3",
        "gradient flow: a gated unit keeps a linear path to its input that saturation scales, not removes",
        "Dauphin et al. 2016, section 3",
        "one hidden unit, independent centred Gaussian weights; derivatives in x_l",
        (
            ("plain", Phi(1, u_1) * w[l]),
            ("gated", Phi(0, u_1) * gate_weights(1)[l] + Phi(1, u_1) * LINEAR * w[l]),
        ),
        "as |x| grows at fixed weights, the second moment of phi(u) v stays above a positive number for sigmoid and "
        "tanh, that of the plain unit's gradient tends to 0 for them and not for ReLU",
    ),
}
"""Statements by id."""

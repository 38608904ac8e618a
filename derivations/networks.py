"""Two-layer networks: activation, number of linear gates, and how weights are scaled."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import sympy as sp

from derivations.activations import NAMED, Activation, activation, parse
from derivations.arguments import shown
from derivations.errors import InputError
from derivations.symbols import d, m, scale_in, scale_out, sigma_a, sigma_v, sigma_w, z

GATED: dict[str, tuple[str, int]] = {
    "reglu": ("relu", 1),
    "geglu": ("gelu", 1),
    "swiglu": ("silu", 1),
    "glu": ("sigmoid", 1),
    "bilinear": ("identity", 1),
    "gqu": ("relu", 2),
}
"""Named gated networks: activation and number of linear gates."""

MOST_GATES = 2
VARIANCES = ("numeric", "symbolic")


@dataclass(frozen=True)
class Parametrization:
    r"""Variances of the weights and scales of the forward pass.

    Every weight into the hidden layer is \(N(0,\sigma_w^2)\) (gates \(N(0,\sigma_v^2)\)), every readout
    \(N(0,\sigma_a^2)\); the preactivation is multiplied by \(s_{in}\), the output by \(s_{out}\).
    """

    name: str
    values: tuple[tuple[sp.Symbol, sp.Expr], ...]

    @property
    def variances(self) -> str:
        """``"numeric"``, or ``"symbolic"`` where some variance has no value."""
        return "numeric" if {sigma_a, sigma_w, sigma_v} <= dict(self.values).keys() else "symbolic"

    def with_symbolic_variances(self) -> Parametrization:
        """The same scales of the forward pass, sigma_a, sigma_w and sigma_v left as symbols."""
        kept = tuple((name, value) for name, value in self.values if name in (scale_in, scale_out))
        return Parametrization(self.name, kept)


PARAMETRIZATIONS = {
    p.name: p
    for p in (
        # Weights N(0, 1/d), readout N(0, 1/m), gradients unscaled: the kernel depends on m and d.
        Parametrization(
            "standard",
            (
                (sigma_w, 1 / sp.sqrt(d)),
                (sigma_v, 1 / sp.sqrt(d)),
                (sigma_a, 1 / sp.sqrt(m)),
                (scale_in, sp.S.One),
                (scale_out, sp.S.One),
            ),
        ),
        # Unit variances, 1/sqrt(fan-in) in the forward pass: the kernel has an infinite-width limit.
        Parametrization(
            "ntk",
            (
                (sigma_w, sp.S.One),
                (sigma_v, sp.S.One),
                (sigma_a, sp.S.One),
                (scale_in, 1 / sp.sqrt(d)),
                (scale_out, 1 / sp.sqrt(m)),
            ),
        ),
    )
}


@dataclass(frozen=True)
class TwoLayer:
    r"""\(z(x) = s_{out} \sum_{k\le m} a_k\, \phi(s_{in} w_k\cdot x) \prod_{l\le g} (s_{in} v_{kl}\cdot x)\).

    `gates` is g: 0 plain, 1 the GLU family, 2 the gated quadratic unit.
    """

    name: str
    activation: Activation
    gates: int
    parametrization: Parametrization


def network(
    name: str | None = None,
    *,
    expression: str | None = None,
    gates: int | None = None,
    parametrization: str = "standard",
    variances: str = "numeric",
    tied: bool = False,
) -> TwoLayer:
    """A network by name, or by an activation's expression and a number of linear gates.

    Parameters
    ----------
    name : str, optional
        An activation's name (plain network) or one of `GATED`.
    expression : str, optional
        The activation as an expression in z, in place of `name`.
    gates : int, optional
        Number of linear gates of an activation named or given: 0 (default), 1 or 2.
    parametrization : str
        ``"standard"`` or ``"ntk"``.
    variances : str
        ``"numeric"``, the parametrization's own, or ``"symbolic"``: sigma_a, sigma_w, sigma_v stay symbols.
    tied : bool
        The gates have the activation's own weights, phi(w.x) (w.x)^g: another network than one with gates of
        their own, namely a plain one with the activation z^g phi(z), which is returned.

    Raises
    ------
    InputError
        For an unknown name (with the nearest known), an unusable expression, or gates outside 0..2.

    Examples
    --------
    >>> network("reglu").gates
    1
    >>> network("reglu", tied=True).activation.phi, network("reglu", tied=True).gates
    (z*Max(0, z), 0)
    >>> network("regul")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: network 'regul' is unknown; did you mean reglu?
    """
    if parametrization not in PARAMETRIZATIONS:
        known = ", ".join(PARAMETRIZATIONS)
        raise InputError(f"parametrization must be one of {known}, got {parametrization!r}")
    if (name is None) == (expression is None):
        given = "neither" if name is None else f"both {shown(name)} and {shown(expression)}"
        raise InputError(f"network must be given by its name or by an activation's expression, got {given}")
    if gates is not None and (isinstance(gates, bool) or gates not in range(MOST_GATES + 1)):
        raise InputError(f"gates must be 0, 1 or {MOST_GATES}, got {gates!r}")
    if variances not in VARIANCES:
        raise InputError(f"variances must be one of {', '.join(VARIANCES)}, got {variances!r}")
    if tied:
        separate = network(name, expression=expression, gates=gates, parametrization=parametrization)
        if not separate.gates:
            raise InputError("tied gates must be at least one, got a network without gates")
        phi = z**separate.gates * separate.activation.phi
        return TwoLayer(
            f"tied {separate.name}",
            Activation(f"z**{separate.gates}*{separate.activation.name}", phi),
            0,
            network("identity", parametrization=parametrization, variances=variances).parametrization,
        )
    chosen = PARAMETRIZATIONS[parametrization]
    if variances == "symbolic":
        chosen = chosen.with_symbolic_variances()
    if expression is not None:
        phi = Activation(expression, parse(expression))
        return TwoLayer(_described(expression, gates or 0), phi, gates or 0, chosen)
    if name in GATED:
        base, own_gates = GATED[name]
        if gates not in (None, own_gates):
            raise InputError(f"gates of network {name} are {own_gates}, got {gates}")
        return TwoLayer(name, activation(base), own_gates, chosen)
    if name in NAMED:
        return TwoLayer(_described(name, gates or 0), activation(name), gates or 0, chosen)
    near = difflib.get_close_matches(str(name).lower(), [*NAMED, *GATED], n=1)
    hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join([*NAMED, *GATED])
    raise InputError(f"network {name!r} is unknown; {hint}")


def as_network(given: object) -> TwoLayer:
    """`given` if it is a network, or the one that it names.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(given, TwoLayer):
        return given
    if isinstance(given, str):
        return network(given)
    raise InputError(f"network must be a name or what derivations.network returns, got {shown(given)}")


def _described(activation_text: str, gates: int) -> str:
    return activation_text if gates == 0 else f"{activation_text} with {gates} linear gate{'s' * (gates > 1)}"

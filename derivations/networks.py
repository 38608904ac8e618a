"""Two-layer networks: activation, number of linear gates, and how weights are scaled."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import sympy as sp

from derivations.activations import NAMED, Activation, activation, parse
from derivations.arguments import shown
from derivations.errors import InputError
from derivations.symbols import d, m, scale_bias, scale_in, scale_out, sigma_a, sigma_b, sigma_v, sigma_w, z

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


def check_gates(gates: object, least: int = 0, most: int = MOST_GATES) -> None:
    """Refuse what is no number of gates.

    Raises
    ------
    InputError
        If it is not an integer from `least` to `most`.

    Examples
    --------
    >>> check_gates(3)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: gates must be 0, 1 or 2, got 3
    """
    choices = range(least, most + 1)
    if isinstance(gates, bool) or not hasattr(gates, "__index__") or gates not in choices:
        *others, last = map(str, choices)
        raise InputError(f"gates must be {', '.join(others)} or {last}, got {shown(gates)}")


@dataclass(frozen=True)
class Parametrization:
    r"""Variances of the weights and scales of the forward pass.

    Every weight into the hidden layer is \(N(0,\sigma_w^2)\) (gates \(N(0,\sigma_v^2)\)), every readout
    \(N(0,\sigma_a^2)\); the preactivation is multiplied by \(s_{in}\), the output by \(s_{out}\). With biases, every
    one is \(N(0,\sigma_b^2)\) and enters times \(s_b\).
    """

    name: str
    values: tuple[tuple[sp.Symbol, sp.Expr], ...]

    @property
    def variances(self) -> str:
        """``"numeric"``, or ``"symbolic"`` where some variance has no value."""
        return "numeric" if {sigma_a, sigma_w, sigma_v} <= dict(self.values).keys() else "symbolic"

    def with_symbolic_variances(self) -> Parametrization:
        """The same scales of the forward pass, sigma_a, sigma_w and sigma_v left as symbols."""
        return Parametrization(
            self.name, tuple(item for item in self.values if item[0] not in (sigma_a, sigma_w, sigma_v))
        )

    def with_biases(self, variance: sp.Expr | None) -> Parametrization:
        """The same with biases of this variance in the preactivation, None for a symbol.

        ``standard`` draws them with that variance; ``ntk`` draws N(0, 1) and multiplies.
        """
        drawn = self.name == "standard"
        fixed, free = (scale_bias, sigma_b) if drawn else (sigma_b, scale_bias)
        values = [(fixed, sp.S.One)] if variance is None else [(fixed, sp.S.One), (free, sp.sqrt(variance))]
        return Parametrization(self.name, (*self.values, *values))

    @property
    def has_biases(self) -> bool:
        """Whether preactivations and gates have biases."""
        return not {sigma_b, scale_bias}.isdisjoint(dict(self.values))

    @cached_property
    def constant(self) -> sp.Expr:
        """e with its values put in: what biases append to every row."""
        return sp.sqrt(sp.cancel(self.at(self.extension)))

    @property
    def bias_variance(self) -> sp.Expr:
        """Variance of what a bias adds: 0 without biases, a number or a symbol's square."""
        return self.at(scale_bias * sigma_b) ** 2 if self.has_biases else sp.S.Zero

    def at(self, expression: sp.Expr) -> sp.Expr:
        """`expression` with the values put in."""
        return expression.subs(dict(self.values))

    @property
    def extension(self) -> sp.Expr:
        r"""\(e^2 = s_b^2\sigma_b^2/(s_{in}^2\sigma_w^2)\): biases act as a further column e of the data; 0 without."""
        if not self.has_biases:
            return sp.S.Zero
        return (scale_bias * sigma_b / (scale_in * sigma_w)) ** 2


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

    `gates` is g: 0 plain, 1 the GLU family, 2 the gated quadratic unit. With biases (see `Parametrization`) every
    \(s_{in} w_k\cdot x\) is \(s_{in} w_k\cdot x + s_b b_k\), every gate likewise with a bias of its own.
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
    bias_variance: float | str | sp.Expr = 0,
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
    bias_variance : number or str
        Variance of what biases add to every preactivation and gate: 0 (none), a number, or ``"symbolic"``
        (sigma_b^2 in the standard parametrization, s_b^2 in ntk).

    Raises
    ------
    InputError
        For an unknown name (with the nearest known), an unusable expression, gates outside 0..2, or a
        variance that is negative, no number, or beside symbolic ones.

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
    if gates is not None:
        check_gates(gates)
    if variances not in VARIANCES:
        raise InputError(f"variances must be one of {', '.join(VARIANCES)}, got {variances!r}")
    if tied:
        separate = network(
            name,
            expression=expression,
            gates=gates,
            parametrization=parametrization,
            variances=variances,
            bias_variance=bias_variance,
        )
        if not separate.gates:
            raise InputError("tied gates must be at least one, got a network without gates")
        phi = z**separate.gates * separate.activation.phi
        return TwoLayer(
            f"tied {separate.name}",
            Activation(f"z**{separate.gates}*{separate.activation.name}", phi),
            0,
            separate.parametrization,
        )
    chosen = PARAMETRIZATIONS[parametrization]
    if variances == "symbolic":
        chosen = chosen.with_symbolic_variances()
    variance = _bias_variance(bias_variance)
    if variance != 0:
        if variances == "symbolic":
            raise InputError("variances must be numeric for a network with biases, got 'symbolic'")
        chosen = chosen.with_biases(variance)
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


def _bias_variance(given: object) -> sp.Expr | None:
    """The variance as an exact number, None where it stays a symbol."""
    if given == "symbolic":
        return None
    line = f"bias_variance must be 0, a number from 1e-12 to 1e6, or 'symbolic', got {shown(given)}"
    try:
        top, _, bottom = str(given).partition("/")
        size = Decimal(top) / Decimal(bottom or 1)  # before 1e999999999 is written out
        if isinstance(given, bool) or not (size == 0 or 1e-12 <= size <= 1e6):
            raise InputError(line)
    except ArithmeticError:
        raise InputError(line) from None
    return sp.Rational(top) / sp.Rational(bottom or 1)


def _described(activation_text: str, gates: int) -> str:
    return activation_text if gates == 0 else f"{activation_text} with {gates} linear gate{'s' * (gates > 1)}"

"""The whole way: from a network's definition to its kernels, their expansion and alpha, beta, gamma."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.closed_form import closed_steps
from derivations.derivation import Derivation, Step
from derivations.errors import InputError
from derivations.expansion import Coefficients, KernelExpansion, expansion_steps, on_diagonal
from derivations.hidden_unit import parametrization_steps
from derivations.networks import TwoLayer, as_network
from derivations.normal_form import NotInClass
from derivations.ntk import covariance_steps, general_steps
from derivations.shift_law import biased_steps, certified_steps, enclosure, shift_law_steps
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    REMAINDER,
    Coefficient,
    Enclosure,
    Phi,
    alpha,
    beta,
    gamma,
    z,
)

HIGHEST_ORDER = 200
PIECEWISE = (sp.Max, sp.Min, sp.Abs, sp.sign, sp.Heaviside)
"""What no strip of analyticity allows."""


@dataclass(frozen=True)
class Kernel:
    """A kernel's exact entries: off the diagonal in ``rho``, ``r_i``, ``r_j``, on it in ``r_i``."""

    off_diagonal: sp.Expr
    diagonal: sp.Expr


@dataclass(frozen=True)
class KernelDerivation:
    """A network, the derivation of its kernel, and what the last steps say."""

    network: TwoLayer
    derivation: Derivation

    @property
    def steps(self) -> tuple[Step, ...]:
        """The chain of steps."""
        return self.derivation.steps

    def check(self) -> None:
        """Verify every step; see `Derivation.check`."""
        self.derivation.check()

    def result(self, lhs: sp.Expr) -> sp.Expr:
        """The right side of the last step whose left side is `lhs`."""
        return next(step.rhs for step in reversed(self.steps) if step.lhs == lhs)

    @property
    def is_closed(self) -> bool:
        """Whether the kernels have a closed form; else coefficients are certified numbers."""
        return any(step.title == "Diagonal" for step in self.steps)

    @property
    def enclosures(self) -> dict[sp.Expr, Enclosure]:
        """Certified numbers: Hermite coefficients and second moments of the activation."""
        return {step.lhs: step.rhs for step in self.steps if isinstance(step.rhs, Enclosure)}

    def enclosed(self, expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """An expression of the steps' results: middle and radius, 0 where it is exact."""
        return enclosure(expression, self.enclosures) if self.enclosures else (expression, sp.S.Zero)

    @property
    def kernel(self) -> Kernel:
        """The NTK.

        Raises
        ------
        InputError
            If there is no closed form.
        """
        self._check_closed()
        return Kernel(self.result(KERNEL), next(step.rhs for step in self.steps if step.title == "Diagonal"))

    @property
    def nngp(self) -> Kernel:
        """The NNGP covariance of the outputs; raises InputError if it has no closed form."""
        self._check_closed()
        closed = self.result(COVARIANCE)
        return Kernel(closed, on_diagonal(closed))

    def _check_closed(self) -> None:
        if not self.is_closed:
            raise InputError(
                f"network {self.network.name} has no closed-form kernel: its coefficients are certified numbers, and "
                "kernel_function evaluates it"
            )

    @property
    def coefficients(self) -> Coefficients:
        """alpha, beta, gamma, or the middles of their enclosures."""
        return Coefficients(*(self.enclosed(self.result(name))[0] for name in (alpha, beta, gamma)))

    @property
    def coefficients_radius(self) -> Coefficients:
        """Radii of the enclosures of alpha, beta, gamma; 0 for closed forms."""
        return Coefficients(*(self.enclosed(self.result(name))[1] for name in (alpha, beta, gamma)))

    @property
    def simplified_everywhere(self) -> bool:
        """Whether alpha, beta, gamma hold for all norms, as for homogeneity 1, or on the sphere only."""
        return self.network.activation.homogeneity == 1 and not self.network.parametrization.has_biases

    @property
    def expansion(self) -> KernelExpansion:
        """The power series in rho on the sphere."""
        coefficients = tuple(
            self.enclosed(step.rhs)[0]
            for step in self.steps
            if isinstance(step.lhs, Coefficient) and step.lhs.args[0].is_Integer
        )
        middle, radius = self.enclosed(self.result(REMAINDER(len(coefficients) - 1)))
        return KernelExpansion(coefficients, middle + radius)


def derive(network: TwoLayer | str, order: int = 8, digits: int = 30) -> KernelDerivation:
    r"""Derive the NTK of `network` from its definition.

    Parameters
    ----------
    network : TwoLayer or str
        From `derivations.networks`, or a name that it knows.
    order : int
        Degree of the expansion in rho, at least gates + 1.
    digits : int
        Decimals of certified numbers, for an activation without closed form.

    Returns
    -------
    KernelDerivation
        `.steps`, `.check()`, `.kernel`, `.nngp`, `.expansion`, `.coefficients`.

    Raises
    ------
    InputError
        If the name is unknown, the activation jumps, or has neither a closed form nor Hermite coefficients that
        can be certified, or `order` is out of range.

    Examples
    --------
    >>> from derivations import derive
    >>> result = derive("reglu")
    >>> result.coefficients.alpha
    1/(2*d) + m/(4*d**2)
    >>> result.check()
    """
    network = as_network(network)
    if isinstance(order, bool) or not isinstance(order, int) or not network.gates < order <= HIGHEST_ORDER:
        raise InputError(
            f"order must be a whole number from {network.gates + 1} (gates + 1) to {HIGHEST_ORDER}, got {order!r}"
        )
    general = general_steps(network)
    try:
        steps = closed_steps(network, general)
        closed = next(step.rhs for step in reversed(steps) if step.lhs == KERNEL)
        steps += expansion_steps(network, closed, order)
    except NotInClass:
        if network.activation.phi.has(*PIECEWISE):
            raise
        steps = [*general, Step("Activation", Phi(0, z), network.activation.phi, "definition")]
        steps += parametrization_steps(network)
        if network.parametrization.has_biases:
            steps += biased_steps(network, general[-1].rhs, order, digits)
        else:
            steps += shift_law_steps(network, general[-1].rhs)
            steps += certified_steps(network, general[-1].rhs, order, digits)
    chosen = network.parametrization
    biases = " with biases" if chosen.has_biases else ""
    statement = f"The NTK of {network.name}{biases} in the {chosen.name} parametrization"
    if chosen.variances == "symbolic":
        statement += " with symbolic variances"
    return KernelDerivation(network, Derivation(statement, tuple(steps)))


@dataclass(frozen=True)
class CovarianceDerivation:
    """A network, and the derivation of the NNGP covariance of its outputs alone."""

    network: TwoLayer
    derivation: Derivation

    @property
    def nngp(self) -> Kernel:
        """The NNGP covariance of the outputs."""
        closed = self.derivation.steps[-1].rhs
        return Kernel(closed, on_diagonal(closed))


def derive_covariance(network: TwoLayer | str) -> CovarianceDerivation:
    r"""Derive the NNGP covariance of `network` alone, which an activation that jumps has, too.

    Raises
    ------
    InputError
        If the name is unknown or there is no closed form.

    Source: derived here; for the step Cho, Saul 2009, equation 3 at n = 0.

    Examples
    --------
    >>> result = derive_covariance("step")
    >>> result.nngp.off_diagonal
    (pi - acos(rho))/(2*pi)
    >>> result.derivation.check()
    """
    network = as_network(network)
    chosen = network.parametrization
    statement = f"The NNGP covariance of {network.name} in the {chosen.name} parametrization"
    steps = closed_steps(network, covariance_steps(network))
    return CovarianceDerivation(network, Derivation(statement, tuple(steps)))

"""The whole way: from a network's definition to its kernels, their expansion and alpha, beta, gamma."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.errors import InputError
from derivations.expansion import Coefficients, KernelExpansion, expansion_steps
from derivations.networks import TwoLayer, as_network
from derivations.ntk import kernel_steps
from derivations.symbols import COVARIANCE, KERNEL, REMAINDER, Coefficient, alpha, beta, gamma, r_i, r_j, rho

HIGHEST_ORDER = 200


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
    def kernel(self) -> Kernel:
        """The NTK."""
        return Kernel(self.result(KERNEL), next(step.rhs for step in self.steps if step.title == "Diagonal"))

    @property
    def nngp(self) -> Kernel:
        """The NNGP covariance of the outputs."""
        closed = self.result(COVARIANCE)
        return Kernel(closed, sp.expand(closed.subs({rho: 1, r_j: r_i})))

    @property
    def coefficients(self) -> Coefficients:
        """alpha, beta, gamma."""
        return Coefficients(self.result(alpha), self.result(beta), self.result(gamma))

    @property
    def simplified_everywhere(self) -> bool:
        """Whether alpha, beta, gamma hold for all norms, as for homogeneity 1, or on the sphere only."""
        return self.network.activation.homogeneity == 1

    @property
    def expansion(self) -> KernelExpansion:
        """The power series in rho on the sphere."""
        coefficients = tuple(step.rhs for step in self.steps if isinstance(step.lhs, Coefficient))
        return KernelExpansion(coefficients, self.result(REMAINDER(len(coefficients) - 1)))


def derive(network: TwoLayer | str, order: int = 8) -> KernelDerivation:
    r"""Derive the NTK of `network` from its definition.

    Parameters
    ----------
    network : TwoLayer or str
        From `derivations.networks`, or a name that it knows.
    order : int
        Degree of the expansion in rho, at least gates + 1.

    Returns
    -------
    KernelDerivation
        `.steps`, `.check()`, `.kernel`, `.nngp`, `.expansion`, `.coefficients`.

    Raises
    ------
    InputError
        If the name is unknown, the activation jumps or has no closed form, or `order` is out of range.

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
    steps = kernel_steps(network)
    closed = next(step.rhs for step in reversed(steps) if step.lhs == KERNEL)
    steps += expansion_steps(network, closed, order)
    chosen = network.parametrization
    statement = f"The NTK of {network.name} in the {chosen.name} parametrization"
    if chosen.variances == "symbolic":
        statement += " with symbolic variances"
    return KernelDerivation(network, Derivation(statement, tuple(steps)))

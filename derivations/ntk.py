r"""From one hidden unit to the kernels as expectations: gradients per parameter block, independence, second moments.

For \(z(x) = s_{out}\sum_k a_k\,\phi(s_{in} w_k\cdot x)\prod_{l\le g}(s_{in}v_{kl}\cdot x)\) with independent centred Gaussian
weights the steps end in

\[ K = m s_{out}^2\Big[T\,\Gamma^g + \sigma_a^2 s_{in}^2\, x\cdot y\,\big(T'\,\Gamma^g + g\,T\,\Gamma^{g-1}\big)\Big],\qquad
   \Gamma = s_{in}^2\sigma_v^2\, x\cdot y,\; T = E[\phi\phi],\; T' = E[\phi'\phi'], \]

the NTK, and in the NNGP covariance \(m s_{out}^2\sigma_a^2\, T\,\Gamma^g\) of the outputs.

Biases \(s_b b\), of variance \(\sigma_b^2\), in every preactivation and gate turn \(s_{in}^2\, x\cdot y\) into
\(s_{in}^2\, x\cdot y + s_b^2\) where a gradient was taken, and add \(s_b^2\sigma_b^2\) to \(\Gamma\) and to the covariance of
the preactivations.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from derivations.derivation import Step
from derivations.errors import InputError
from derivations.hidden_unit import GRAM, linear_gates, name_steps, preactivation, second_moment, unit
from derivations.networks import TwoLayer
from derivations.rules import rewrite
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    Expectation,
    Phi,
    a,
    b,
    d,
    gate_values,
    l,
    m,
    scale_bias,
    scale_in,
    sigma_a,
    sigma_v,
    u_1,
    u_2,
    w,
    x,
    y,
)


def general_steps(network: TwoLayer) -> list[Step]:
    """Steps from the network's definition to its kernel as a sum over blocks of expectations of phi and phi'.

    Raises
    ------
    InputError
        If the activation has a jump: its derivative is no function, so the activation-weight block has no
        kernel.
    """
    if not network.activation.is_continuous:
        raise InputError(
            f"activation {network.activation.name} jumps at 0, so the gradient in the activation weights w is not "
            "a function and their block has no NTK; a continuous activation is needed (the NNGP covariance it has: "
            "kernel or empirical, kind nngp)"
        )
    gates, biased = network.gates, network.parametrization.has_biases
    steps = list(name_steps(gates, biased))
    steps += _gradient_steps(gates, biased, steps[1:])
    products = [step.rhs for step in steps if step.rule == "inner product"]
    steps += _expectation_steps(gates, biased, products)
    general = sp.factor_terms(rewrite(KERNEL, steps))
    steps.append(Step("General kernel", KERNEL, general, "substitution"))
    return steps


def covariance_steps(network: TwoLayer) -> list[Step]:
    """Steps from the network's definition to the NNGP covariance alone, which an activation that jumps has, too."""
    gates, biased = network.gates, network.parametrization.has_biases
    steps = list(name_steps(gates, biased))
    product = rewrite(unit(gates, x, biased) * unit(gates, y, biased), steps[1:])
    steps.append(Step("Covariance of outputs", COVARIANCE, m * Expectation(product), "covariance of outputs"))
    steps += _moment_steps(gates, biased, [product])
    return steps


def _gradient_steps(gates: int, biased: bool, names: list[Step]) -> Iterator[Step]:
    """The unit's derivative in each parameter block, and the inner products over each block."""
    at_x, argument = unit(gates, x, biased), preactivation(biased).at(x)
    slope = at_x.subs(Phi(0, argument), Phi(1, argument))
    blocks = [("readout a", a, at_x / a), ("activation weights w", w[l], slope * scale_in * x[l])]
    for index, gate in enumerate(linear_gates(gates, biased), 1):
        blocks.append((f"gate weights v{index}", gate.weights[l], at_x / gate.at(x) * scale_in * x[l]))
    if biased:
        blocks.append(("activation bias b", b, slope * scale_bias))
        for index, gate in enumerate(linear_gates(gates, biased), 1):
            blocks.append((f"gate bias b{index}", gate.bias, at_x / gate.at(x) * scale_bias))
    for block, parameter, gradient in blocks:
        yield Step(f"Gradient, {block}", sp.Derivative(at_x, parameter), gradient, "differentiation")
        product = gradient * gradient.subs(x, y)
        if parameter.has(l):
            pulled_out = rewrite(product / (x[l] * y[l]), names) * GRAM
            product = sp.Sum(product, (l, 1, d))
        else:
            pulled_out = rewrite(product, names)
        yield Step(f"Inner product, {block}", product, pulled_out, "inner product")


def _expectation_steps(gates: int, biased: bool, products: list[sp.Expr]) -> Iterator[Step]:
    """The kernel and the covariance of outputs as expectations, in moments of independent weights."""
    yield Step(
        "Sum over hidden units", KERNEL, sp.Add(*(m * Expectation(e) for e in products)), "identical units"
    )
    covariance = a**2 * products[0]
    yield Step("Covariance of outputs", COVARIANCE, m * Expectation(covariance), "covariance of outputs")
    yield from _moment_steps(gates, biased, [*products, covariance])


def _moment_steps(gates: int, biased: bool, products: list[sp.Expr]) -> Iterator[Step]:
    """Expectations of products factorised over independent weights, second moments by Isserlis."""
    for product in products:
        yield Step("Independent weights", Expectation(product), _factorised(product, gates), "independence")
    yield Step("Readout variance", Expectation(a**2), sigma_a**2, "Isserlis")
    for index in range(1, gates + 1):
        gate = Expectation(sp.Mul(*gate_values(index)))
        yield Step(f"Second moment of gate {index}", gate, second_moment(sigma_v, GRAM, biased), "Isserlis")


def _factorised(product: sp.Expr, gates: int) -> sp.Expr:
    """E[product] as constants times one expectation per group of independent weights."""
    result = product
    for group in ((a,), (u_1, u_2), *(gate_values(index) for index in range(1, gates + 1))):
        constant, part = result.as_independent(*group)
        result = constant * (Expectation(part) if part != 1 else 1)
    return result

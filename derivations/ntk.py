r"""From one hidden unit to the kernels: gradients per parameter block, expectations, the closed form.

For \(z(x) = s_{out}\sum_k a_k\,\phi(s_{in} w_k\cdot x)\prod_{l\le g}(s_{in}v_{kl}\cdot x)\) with independent centred Gaussian
weights the steps end in

\[ K = m s_{out}^2\Big[T\,\Gamma^g + \sigma_a^2 s_{in}^2\, x\cdot y\,\big(T'\,\Gamma^g + g\,T\,\Gamma^{g-1}\big)\Big],\qquad
   \Gamma = s_{in}^2\sigma_v^2\, x\cdot y,\; T = E[\phi\phi],\; T' = E[\phi'\phi'], \]

the NTK, and in the NNGP covariance \(m s_{out}^2\sigma_a^2\, T\,\Gamma^g\) of the outputs.

Biases \(s_b b\), of variance \(\sigma_b^2\), in every preactivation and gate turn \(s_{in}^2\, x\cdot y\) into
\(s_{in}^2\, x\cdot y + s_b^2\) where a gradient was taken, and add \(s_b^2\sigma_b^2\) to \(\Gamma\) and to the covariance of
the preactivations. In their kernels r_i, r_j and rho are norms and cosine of the rows \((x, e)\),
\(e = s_b\sigma_b/(s_{in}\sigma_w)\), that is of the preactivations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp
import sympy.tensor.tensor

from derivations.derivation import Step
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.normal_form import NormalForm
from derivations.price import Level
from derivations.remaining_integral import dual_ladder
from derivations.rules import rewrite
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    UNIT,
    Expectation,
    Phi,
    a,
    b,
    c,
    d,
    gate_bias,
    gate_values,
    gate_weights,
    k,
    l,
    m,
    r_i,
    r_j,
    rho,
    s_1,
    s_2,
    scale_bias,
    scale_in,
    scale_out,
    sigma_a,
    sigma_b,
    sigma_v,
    sigma_w,
    u_1,
    u_2,
    w,
    x,
    y,
    z,
)

_GRAM = sp.Sum(x[l] * y[l], (l, 1, d))


def _dot(weights: sp.IndexedBase, data: sp.IndexedBase) -> sp.Sum:
    return sp.Sum(weights[k] * data[k], (k, 1, d))


@dataclass(frozen=True)
class _Linear:
    """An affine form of the input: weights, their bias (None without biases), its values at x and y."""

    title: str
    weights: sp.IndexedBase
    bias: sp.Symbol | None
    values: tuple[sp.Symbol, sp.Symbol]

    def at(self, data: sp.IndexedBase) -> sp.Expr:
        """s_in w.x, plus s_b b."""
        form = scale_in * _dot(self.weights, data)
        return form if self.bias is None else form + scale_bias * self.bias

    def name_step(self, data: sp.IndexedBase) -> Step:
        """Its name: without bias that of the dot product, which then has it in other places too."""
        title, value = f"Name the {self.title} at {data}", self.values[data == y]
        if self.bias is None:
            return Step(title, _dot(self.weights, data), value / scale_in, "definition")
        return Step(title, self.at(data), value, "definition")


def _preactivation(biased: bool) -> _Linear:
    return _Linear("preactivation", w, b if biased else None, (u_1, u_2))


def _gates(gates: int, biased: bool) -> list[_Linear]:
    return [
        _Linear(
            f"value of gate {index}",
            gate_weights(index),
            gate_bias(index) if biased else None,
            gate_values(index),
        )
        for index in range(1, gates + 1)
    ]


def unit(gates: int, data: sp.IndexedBase, biased: bool = False) -> sp.Expr:
    """One hidden unit of the network at the input `data`."""
    linear = sp.Mul(*(gate.at(data) for gate in _gates(gates, biased)))
    return scale_out * a * Phi(0, _preactivation(biased).at(data)) * linear


def _name_steps(gates: int, biased: bool) -> Iterator[Step]:
    """The unit, and names for its preactivation and gate values at x and at y."""
    yield Step("One hidden unit", UNIT, unit(gates, x, biased), "definition")
    for form in (_preactivation(biased), *_gates(gates, biased)):
        for data in (x, y):
            yield form.name_step(data)


def _gradient_steps(gates: int, biased: bool, names: list[Step]) -> Iterator[Step]:
    """The unit's derivative in each parameter block, and the inner products over each block."""
    at_x, argument = unit(gates, x, biased), _preactivation(biased).at(x)
    slope = at_x.subs(Phi(0, argument), Phi(1, argument))
    blocks = [("readout a", a, at_x / a), ("activation weights w", w[l], slope * scale_in * x[l])]
    for index, gate in enumerate(_gates(gates, biased), 1):
        blocks.append((f"gate weights v{index}", gate.weights[l], at_x / gate.at(x) * scale_in * x[l]))
    if biased:
        blocks.append(("activation bias b", b, slope * scale_bias))
        for index, gate in enumerate(_gates(gates, biased), 1):
            blocks.append((f"gate bias b{index}", gate.bias, at_x / gate.at(x) * scale_bias))
    for block, parameter, gradient in blocks:
        yield Step(f"Gradient, {block}", sp.Derivative(at_x, parameter), gradient, "differentiation")
        product = gradient * gradient.subs(x, y)
        if parameter.has(l):
            pulled_out = rewrite(product / (x[l] * y[l]), names) * _GRAM
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
        yield Step(f"Second moment of gate {index}", gate, _second_moment(sigma_v, _GRAM, biased), "Isserlis")


def _second_moment(deviation: sp.Expr, total: sp.Expr, biased: bool) -> sp.Expr:
    """Of an affine form whose weights have this deviation: `total` is x.x, y.y or x.y."""
    return scale_in**2 * deviation**2 * total + (scale_bias**2 * sigma_b**2 if biased else 0)


def _factorised(product: sp.Expr, gates: int) -> sp.Expr:
    """E[product] as constants times one expectation per group of independent weights."""
    result = product
    for group in ((a,), (u_1, u_2), *(gate_values(index) for index in range(1, gates + 1))):
        constant, part = result.as_independent(*group)
        result = constant * (Expectation(part) if part != 1 else 1)
    return result


def _dual_steps(phi: NormalForm) -> Iterator[Step]:
    """E[phi phi] and E[phi' phi'] closed by Price's theorem."""
    yield Step("Activation", Phi(0, z), phi.expression(z), "definition")
    ladder = dual_ladder(phi, phi)
    if len(ladder) == 1:  # closed without differentiating; its derivative's is too
        ladder += dual_ladder(phi.derivative(), phi.derivative())
        yield from _activation_steps(ladder)
        for level in ladder:
            yield Step("Gaussian integral", level.expectation(), level.closed, _integral_rule(level))
        return
    yield from _activation_steps(ladder)
    for level, above in pairwise(ladder):
        yield Step(
            "Differentiate in the covariance",
            sp.Derivative(level.expectation(), c),
            above.expectation(),
            "Price",
        )
    last = ladder[-1]
    if last.first.is_dirac and last.second.is_dirac:
        yield Step("Only Dirac terms remain", last.expectation(), last.closed, "origin density")
    else:
        rule = _integral_rule(last)
        most = "One" if rule == "tilted Gaussian integral" else "No"
        title = f"{most} step and {most.lower()} distribution function remains"
        yield Step(title, last.expectation(), last.closed, rule)
    for level in reversed(ladder[:-1]):
        yield Step("Value at zero covariance", level.expectation(sp.S.Zero), level.at_zero, "uncorrelated")
        yield Step("Integrate back in the covariance", level.expectation(), level.closed, "integration")


def _integral_rule(level: Level) -> str:
    is_direct = level.first.is_direct and level.second.is_direct
    return "Gaussian integral" if is_direct else "tilted Gaussian integral"


def _activation_steps(ladder: Sequence[Level]) -> Iterator[Step]:
    for order in (0, 1):
        generic = Expectation(Phi(order, u_1) * Phi(order, u_2))
        yield Step("Put in the activation", generic, ladder[order].expectation(), "activation")


def _geometry_steps(network: TwoLayer) -> Iterator[Step]:
    """The law of the preactivations, the parametrization, and norms and cosine of the data."""
    chosen, biased = network.parametrization, network.parametrization.has_biases
    yield Step("Deviation of the preactivation at x", s_1, sp.sqrt(Expectation(u_1**2)), "definition")
    yield Step("Deviation of the preactivation at y", s_2, sp.sqrt(Expectation(u_2**2)), "definition")
    yield Step("Covariance of the preactivations", c, Expectation(u_1 * u_2), "definition")
    sums = {
        u_1**2: (sp.Sum(x[l] ** 2, (l, 1, d)), r_i**2),
        u_2**2: (sp.Sum(y[l] ** 2, (l, 1, d)), r_j**2),
        u_1 * u_2: (_GRAM, rho * r_i * r_j),
    }
    moments = [
        Step("Second moment", Expectation(moment), _second_moment(sigma_w, total, biased), "Isserlis")
        for moment, (total, _) in sums.items()
    ]
    yield from moments
    title = "Norms and cosine of the rows (x, e)" if biased else "Norms and cosine of the data"
    definitions = [
        Step(title, total, value - chosen.extension, "definition") for total, value in sums.values()
    ]
    yield from definitions
    yield from parametrization_steps(network)
    if biased:  # what the extension is for: the preactivations' law in norms and cosine alone
        gates = [Expectation(sp.Mul(*gate_values(index))) for index in range(1, network.gates + 1)]
        laws = {step.lhs: step.rhs for step in moments} | dict.fromkeys(
            gates, _second_moment(sigma_v, _GRAM, True)
        )
        for moment, law in laws.items():
            value = sp.expand(chosen.at(rewrite(law, definitions)))
            yield Step("In norms and cosine", moment, value, "substitution")


def _closed(kernel: sp.Expr, earlier: list[Step]) -> sp.Expr:
    """`kernel` after all earlier steps, every radicand as 1 - rho^2 times one part plus a positive other one."""
    # Frozen, or they would be expanded and the sums of positive terms lost in differences.
    roots = {
        base: sp.Dummy("root", positive=True)
        for step in earlier
        if isinstance(step.lhs, Expectation)
        for base in _radicands(step.rhs)
    }
    squares = {base: root**2 for base, root in roots.items()}
    frozen = [replace(step, rhs=step.rhs.xreplace(squares)) for step in earlier]
    closed = rewrite(kernel, frozen)
    integrals = {integral: sp.Dummy() for integral in closed.atoms(sp.Integral)}
    if integrals:  # left as they are: nothing in them is to be multiplied out
        back = {symbol: integral for integral, symbol in integrals.items()}
        values = {root: stable_root(rewrite(base, earlier)) for base, root in roots.items()}
        return sp.factor_terms(closed.xreplace(integrals).subs(values)).xreplace(back)
    values = {root: stable_root(rewrite(base, earlier)) for base, root in roots.items()}
    if all(value.is_Mul for value in values.values()):
        return ordered(closed.subs(values))
    # One level deep: m and the readout's 1/m meet, sums of positive terms stay what they are.
    return sp.factor_terms(sp.expand_mul(closed, deep=False).subs(values))


def _radicands(expression: sp.Expr) -> set[sp.Expr]:
    return {
        e.base
        for e in expression.atoms(sp.Pow)
        if e.base.has(c) and e.exp.is_Rational and not e.exp.is_Integer
    }


def stable_root(base: sp.Expr) -> sp.Expr:
    """The square root of `base`, a polynomial in rho^2, with the angle in 1 - rho^2 alone."""
    base = sp.expand(base)
    growing = -base.coeff(rho, 2)
    rest = sp.expand(base + growing * (rho**2 - 1))
    if rest == 0:
        return sp.sqrt(growing) * sp.sqrt(1 - rho**2)
    return sp.sqrt(rest + growing * (1 - rho**2))


def ordered(closed: sp.Expr) -> sp.Expr:
    """Ordered by sqrt(1 - rho^2), pi - arccos(rho) and powers of the norms."""
    arc, root = sp.Dummy("arc", real=True), sp.Dummy("root", positive=True)
    # asin(rho) = (pi - acos(rho)) - pi/2: in the literature's variable ReLU has no other term.
    closed = sp.expand(closed.subs({sp.asin(rho): arc - sp.pi / 2, sp.sqrt(1 - rho**2): root}))
    parts: dict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    for term in sp.Add.make_args(closed):
        factor, monomial = term.as_independent(arc, root, r_i, r_j, as_Add=False)
        parts[monomial].append(factor)
    return sp.Add(*(sp.factor(sp.Add(*factors)) * monomial for monomial, factors in parts.items())).subs(
        {arc: sp.pi - sp.acos(rho), root: sp.sqrt(1 - rho**2)}
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
    steps = list(_name_steps(gates, biased))
    steps += _gradient_steps(gates, biased, steps[1:])
    products = [step.rhs for step in steps if step.rule == "inner product"]
    steps += _expectation_steps(gates, biased, products)
    general = sp.factor_terms(rewrite(KERNEL, steps))
    steps.append(Step("General kernel", KERNEL, general, "substitution"))
    return steps


def covariance_steps(network: TwoLayer) -> list[Step]:
    """Steps from the network's definition to the NNGP covariance alone, which an activation that jumps has, too.

    Raises
    ------
    NotInClass
        If there is no closed form.
    """
    gates, biased = network.gates, network.parametrization.has_biases
    steps = list(_name_steps(gates, biased))
    product = rewrite(unit(gates, x, biased) * unit(gates, y, biased), steps[1:])
    steps.append(Step("Covariance of outputs", COVARIANCE, m * Expectation(product), "covariance of outputs"))
    steps += _moment_steps(gates, biased, [product])
    return _with_closed_forms(network, steps, {"NNGP covariance": COVARIANCE})


def parametrization_steps(network: TwoLayer) -> list[Step]:
    """The values of variances and scales."""
    chosen = network.parametrization
    return [Step(f"Parametrization {chosen.name}", *value, "definition") for value in chosen.values]


def closed_steps(network: TwoLayer, steps: list[Step]) -> list[Step]:
    """`steps` and those to the closed forms of the NTK and the NNGP covariance.

    Raises
    ------
    NotInClass
        If there is no closed form.
    """
    steps = _with_closed_forms(network, steps, {"NNGP covariance": COVARIANCE, "NTK": KERNEL})
    if not steps[-1].rhs.has(m):
        steps.append(Step("Infinite width", sp.Limit(KERNEL, m, sp.oo), KERNEL, "law of large numbers"))
    return steps


def _with_closed_forms(network: TwoLayer, steps: list[Step], kernels: Mapping[str, sp.Expr]) -> list[Step]:
    """`steps`, those to the activation's expectations, and the closed forms of the named kernels."""
    steps = steps + list(_dual_steps(network.activation.normal_form))
    steps += _geometry_steps(network)
    for name, kernel in kernels.items():
        steps.append(Step(f"Closed form of the {name}", kernel, _closed(kernel, steps), "substitution"))
    return steps

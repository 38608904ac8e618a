"""Plain text: results, and the chain of steps."""

from __future__ import annotations

from collections import Counter

import sympy as sp
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from derivations.derivation import Derivation
from derivations.kernel_derivation import KernelDerivation
from derivations.printing.abbreviations import abbreviated
from derivations.rules import RULES
from derivations.shift_law import rounded
from derivations.symbols import KERNEL, REMAINDER, Coefficient, alpha, beta, gamma, j


class TextPrinter(StrPrinter):
    """SymPy's one-line form, with dot products as ``w.x`` and values at a point as ``K(x, y) at rho = 1``."""

    def _print_Sum(self, expression: sp.Sum) -> str:
        factors = expression.function.as_powers_dict()
        if all(isinstance(factor, sp.Indexed) for factor in factors) and sum(factors.values()) == 2:
            names = [str(factor.base) for factor, power in factors.items() for _ in range(int(power))]
            # Weights before data, as the literature writes w.x.
            return ".".join(sorted(names, key=lambda name: (name in "xy", name)))
        return super()._print_Sum(expression)

    def _print_Subs(self, expression: sp.Subs) -> str:
        point = ", ".join(
            f"{self._print(name)} = {self._print(value)}"
            for name, value in zip(expression.variables, expression.point, strict=True)
        )
        return f"{self._print(expression.expr)} at {point}"

    def _print_Derivative(self, expression: sp.Derivative) -> str:
        variable = self._print(expression.variables[0])
        return f"d/d{variable} {self._print(expression.expr)}"

    def _print_Limit(self, expression: sp.Limit) -> str:
        return f"lim {self._print(expression.args[1])} -> infinity {self._print(expression.args[0])}"


def text(expression: sp.Expr) -> str:
    """`expression` on one line.

    Examples
    --------
    >>> from derivations.symbols import d, k, w, x
    >>> text(sp.Sum(w[k] * x[k], (k, 1, d)))
    'w.x'
    """
    return TextPrinter().doprint(expression)


def render(result: KernelDerivation, steps: bool) -> str:
    """The results, after the steps if they are wanted."""
    network = result.network
    biased = network.parametrization.has_biases
    biases = [f" + s_b {name}_k" if biased else "" for name in ("b", "b1", "b2")]
    gates = "".join(f" (s_in v_{index}k.x{biases[index]})" for index in range(1, network.gates + 1))
    unit = f"a_k phi(s_in w_k.x{biases[0]}){gates}"
    lines = [
        result.derivation.statement,
        "",
        f"  z(x) = s_out sum_k {unit},  phi(z) = {network.activation.phi}",
        "  " + ", ".join(f"{name} = {text(value)}" for name, value in network.parametrization.values),
    ]
    if steps:
        lines += ["", "Steps", *steps_text(result.derivation)]
    tail = result.expansion
    alpha_power, gamma_power = _hadamard_power(network.gates + 1), _power(network.gates + 1)
    gate_power = f"(r r^T) o {_hadamard_power(network.gates)}" if network.gates else "r r^T"
    lower = "".join(("c_0 + ", "c_1 G/d + ")[: network.gates if biased else 0])
    lines += [
        "",
        *_kernel(result),
        "Simplified matrix" + ("" if result.simplified_everywhere else ", on the sphere |x|^2 = d"),
        f"  {lower}beta {gate_power} + alpha {alpha_power} + gamma {gamma_power}",
        "  G = X X^T, r_i = |x_i|, D = diag(r_i^2)" + ("" if network.gates == 0 else ", o: entry by entry"),
    ]
    for symbol in (alpha, beta, gamma):
        if result.result(symbol).has(sp.Integral):
            lines += _abbreviated(f"{symbol} =", result.result(symbol), "    ")
        else:
            lines.append(f"  {symbol} = {_value(result, symbol)}")
    cosine = ", rho the cosine of x_i and x_j" if biased else ""
    lines.append(f"Expansion on the sphere |x|^2 = d, f(rho) = sum_j c_j rho^j{cosine}")
    for degree in range(tail.order + 1):
        value = _value(result, Coefficient(degree))
        if value != "0":
            lines.append(f"  c_{degree} = {value}")
    remainder = tail.remainder if result.is_closed else sp.N(tail.remainder, 6)
    if remainder.has(sp.Integral):
        lines += _abbreviated(f"remainder at most |rho|^{tail.order + 1} times", remainder, "    ")
    else:
        lines.append(f"  remainder at most |rho|^{tail.order + 1} ({text(remainder)})")
    return "\n".join(lines)


def _kernel(result: KernelDerivation) -> list[str]:
    if result.is_closed:
        lines = []
        if result.network.parametrization.has_biases:
            constant = text(result.network.parametrization.constant)
            lines.append(
                f"Norms r_i, r_j and cosine rho in the kernels are those of the rows (x, {constant})"
            )
        for title, kernel in (("Kernel", result.kernel), ("NNGP covariance", result.nngp)):
            lines.append(title)
            for place, entry in (("i != j", kernel.off_diagonal), ("i = j ", kernel.diagonal)):
                lines += _abbreviated(f"{place} ", entry, " " * 10)
        return lines
    lines = [
        "Kernel",
        "  no closed form: with c = x.y/d it is what follows, E[phi phi] and E[phi' phi'] being series in the cosine",
        f"  {text(result.result(KERNEL))}",
    ]
    if result.network.parametrization.has_biases:
        lines.append("Certified coefficients of the dual and second moments, z standard normal")
    else:
        lines.append(f"  {text(Coefficient(j))} = {text(result.result(Coefficient(j)))}")
        lines.append("Certified Hermite coefficients and second moments, z standard normal")
    return lines + [f"  {text(lhs)} = {text(ball)}" for lhs, ball in result.enclosures.items()]


def _abbreviated(label: str, expression: sp.Expr, indent: str) -> list[str]:
    """An expression, and below it what its abbreviations stand for."""
    short, names = abbreviated(expression)
    return [f"  {label} {text(short)}", *(f"  {indent}{name} = {text(value)}" for name, value in names)]


def _value(result: KernelDerivation, lhs: sp.Expr) -> str:
    """A step's result: exact, or rounded to the certified digits with its radius."""
    value = result.result(lhs)
    if result.is_closed or value == 0:
        return text(value)
    digits = next(iter(result.enclosures.values())).digits
    middle, radius = rounded(*result.enclosed(value), digits)
    return f"{text(middle)} +- ({text(radius)})" if radius != 0 else text(middle)


def _hadamard_power(exponent: int) -> str:
    return "G" if exponent == 1 else f"G^o{exponent}"


def _power(exponent: int) -> str:
    return "D" if exponent == 1 else f"D^{exponent}"


def steps_text(derivation: Derivation) -> list[str]:
    """Every step of a derivation, the rules that it uses, and how many steps are of which status."""
    lines = []
    for number, step in enumerate(derivation.steps, 1):
        lines.append(f"{number:>3}. {step.title}  [{step.rule}: {step.status}]")
        lhs = text(step.lhs)
        lines.append(f"       {lhs}")
        if step.rhs == sp.true:  # an inequality
            continue
        rhs = text(step.rhs)
        if step.lhs.has(REMAINDER):
            rhs += "   (the sup over 0 < |rho| <= 1 of |f(rho) - P(rho)| / |rho|^(degree + 1))"
        relation = "exactly if" if isinstance(step.rhs, Relational) else "="
        lines.append(f"         {relation} {rhs}")
    used = sorted({step.rule for step in derivation.steps})
    lines += ["", "Rules", *(f"  {rule}: {RULES[rule].claim} ({RULES[rule].reference})" for rule in used)]
    counts = Counter(step.status for step in derivation.steps)
    others = "".join(f", {counts[status]} {status}" for status in counts if status != "proved")
    lines += ["", f"{counts['proved']} of {len(derivation.steps)} steps proved{others}, each re-checked now"]
    return lines

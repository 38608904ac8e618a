"""Networks by name or expression: what is known, what is suggested, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from derivations import derive, kernel_function
from derivations.errors import InputError
from derivations.networks import network
from derivations.symbols import d, m, scale_in, scale_out, sigma_a, sigma_v, sigma_w, z
from verify.activations import ACTIVATIONS


@pytest.mark.parametrize(
    ("name", "phi", "gates"),
    [
        ("relu", sp.Max(0, z), 0),
        ("reglu", sp.Max(0, z), 1),
        ("gqu", sp.Max(0, z), 2),
        ("bilinear", z, 1),
        ("identity", z, 0),
    ],
)
def test_named_networks(name: str, phi: sp.Expr, gates: int) -> None:
    described = network(name)
    assert (described.name, described.activation.phi, described.gates) == (name, phi, gates)
    assert described.parametrization.name == "standard"


def test_gates_may_be_added_to_an_activation() -> None:
    assert network("relu2", gates=2).gates == 2
    assert network("relu2", gates=1).name == "relu2 with 1 linear gate"
    assert network("relu", gates=1).activation == network("reglu").activation
    assert network("reglu", gates=1) == network("reglu")
    assert network(expression="abs(z)*z", gates=2).name == "abs(z)*z with 2 linear gates"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"name": "regul"}, "network 'regul' is unknown; did you mean reglu?"),
        ({"name": "leakyrelu"}, "network 'leakyrelu' is unknown; did you mean leaky_relu?"),
        ({"name": "bilinaer"}, "network 'bilinaer' is unknown; did you mean bilinear?"),
        ({"name": ""}, "network '' is unknown; known: relu, leaky_relu, "),
        ({"name": "max(0, z)"}, "network 'max(0, z)' is unknown; "),
        ({"name": "relu", "gates": 3}, "gates must be 0, 1 or 2, got 3"),
        ({"name": "relu", "gates": -1}, "gates must be 0, 1 or 2, got -1"),
        ({"name": "relu", "gates": True}, "gates must be 0, 1 or 2, got True"),
        ({"name": "relu", "gates": 0.5}, "gates must be 0, 1 or 2, got 0.5"),
        ({"name": "relu", "gates": "1"}, "gates must be 0, 1 or 2, got '1'"),
        ({"name": "reglu", "gates": 2}, "gates of network reglu are 1, got 2"),
        ({"name": "reglu", "gates": 0}, "gates of network reglu are 1, got 0"),
        ({}, "network must be given by its name or by an activation's expression, got neither"),
        (
            {"name": "relu", "expression": "z"},
            "network must be given by its name or by an activation's expression, got both ",
        ),
        ({"expression": "1/"}, "activation must be an expression in z, got '1/'"),
        (
            {"name": "relu", "parametrization": "mup"},
            "parametrization must be one of standard, ntk, got 'mup'",
        ),
    ],
)
def test_bad_descriptions_give_one_clear_line(arguments: dict[str, object], line: str) -> None:
    with pytest.raises(InputError) as caught:
        network(**arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_both_parametrizations_give_the_network_function_the_same_law() -> None:
    # s_in sigma_w = 1 / sqrt(d) and s_out sigma_a = 1 / sqrt(m) in either.
    for name in ("standard", "ntk"):
        values = dict(network("relu", parametrization=name).parametrization.values)
        assert values[scale_in] * values[sigma_w] == 1 / sp.sqrt(d)
        assert values[scale_in] * values[sigma_v] == 1 / sp.sqrt(d)
        assert values[scale_out] * values[sigma_a] == 1 / sp.sqrt(m)


def test_what_takes_a_network_takes_its_name_too() -> None:
    assert derive("reglu").network == network("reglu")
    assert kernel_function("reglu", width=3).network == network("reglu")
    for wrong in (3, None, "regul"):
        with pytest.raises(InputError, match=r"^network "):
            derive(wrong)  # type: ignore[arg-type]


def test_symbolic_variances_keep_the_scales_of_the_parametrization() -> None:
    chosen = network("relu", parametrization="ntk", variances="symbolic").parametrization
    assert (chosen.name, chosen.variances, len(chosen.values)) == ("ntk", "symbolic", 2)
    assert chosen.values == network("relu", parametrization="ntk").parametrization.values[-2:]


@pytest.mark.parametrize(("name", "gates"), [("reglu", None), ("relu", 2), ("swiglu", None), ("gelu", 1)])
def test_tied_gates_are_a_plain_network_and_not_the_one_with_gates_of_their_own(
    name: str, gates: int | None
) -> None:
    tied, separate = network(name, gates=gates, tied=True), network(name, gates=gates)
    assert tied.gates == 0
    assert tied.activation.phi == z**separate.gates * separate.activation.phi
    X = np.random.default_rng(0).standard_normal((4, 3))
    K, other = (kernel_function(chosen, width=50)(X) for chosen in (tied, separate))
    assert np.max(np.abs(K - other)) > 0.1 * np.max(other)
    # Written by hand: h = phi(w.x) (w.x)^g and its gradient in the one weight vector.
    phi, slope = ACTIVATIONS[{"reglu": "relu", "swiglu": "silu"}.get(name, name)]
    assert slope is not None
    g = separate.gates
    w = np.random.default_rng(1).standard_normal((200_000, 3)) / np.sqrt(3)
    u = w @ X.T
    value, inner = phi(u) * u**g, slope(u) * u**g + g * phi(u) * u ** (g - 1)
    terms = 50 * value[:, 0] * value[:, 1], X[0] @ X[1] * inner[:, 0] * inner[:, 1]
    sample = terms[0] + terms[1]
    assert abs(np.mean(sample) - K[0, 1]) < 5 * np.std(sample) / np.sqrt(len(sample))


def test_tied_gates_need_a_gate() -> None:
    with pytest.raises(InputError, match="tied gates must be at least one"):
        network("relu", tied=True)

"""Imports go one way, and the two sides of a comparison share no formula."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import derivations
import verify

ROOT = Path(__file__).parent.parent
# What the finite side may take from the symbolic one: the checks of arguments and the number of threads, no mathematics.
SHARED = {f"derivations.{name}" for name in ("errors", "arguments", "matrix", "threads")} | {"derivations"}
FINITE_SIDE = (
    "activations", "finite", "streams", "products", "accumulators", "montecarlo", "moments", "cells", "blocks",
    "ladder", "quadrature", "gradient_descent", "joint_test", "statistics", "eigenvalues", "inputs", "prepare",
    "labels", "network_batch", "training", "trained_crossing", "samples", "learner", "kernel_regression", "bootstrap",
    "generalisation", "trained_generalisation",
)  # fmt: skip


def module_file(module: str) -> Path | None:
    base = ROOT / Path(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()), None)


def imports(module: str) -> set[str]:
    """Modules of this project that a module imports, wherever in its text."""
    path = module_file(module)
    assert path is not None, module
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module} uses a relative import"
            # `from package import module` names a module, `from module import name` does not.
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            named = {name for name in submodules if module_file(name)}
            found |= named | ({node.module} if len(named) < len(submodules) else set())
    return {name for name in found if name.split(".")[0] in ("derivations", "verify")}


def closure(module: str) -> set[str]:
    seen, open_ = set(), [module]
    while open_:
        current = open_.pop()
        if current not in seen:
            seen.add(current)
            # A package's own __init__ only hands names on, lazily.
            open_ += [name for name in imports(current) if current not in ("derivations", "verify")]
    return seen - {module}


@pytest.mark.parametrize("path", sorted((ROOT / "derivations").rglob("*.py")), ids=lambda p: p.stem)
def test_the_symbolic_side_never_imports_the_numerical_one(path: Path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert not [name for name in imports(module) if name.startswith("verify")]


@pytest.mark.parametrize("name", FINITE_SIDE)
def test_the_finite_side_takes_no_mathematics_from_the_derivations(name: str):
    taken = {module for module in closure(f"verify.{name}") if module.startswith("derivations")}
    assert taken <= SHARED


def test_only_two_modules_of_the_symbolic_side_compile_formulas():
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "derivations").rglob("*.py")
        if "lambdify(" in path.read_text()
    }
    assert users == {"derivations/compiled.py", "derivations/elementwise.py"}


def test_what_publications_state_is_read_by_claims_tests_and_what_shows_it():
    readers = {
        str(path.relative_to(ROOT))
        for package in ("derivations", "verify", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
        if "derivations.sources" in path.read_text() and "derivations/sources" not in str(path)
    }
    shown = {"verify/published.py", "verify/commands/generalise_words.py"}
    assert readers <= {"verify/claim.py"} | shown | {p for p in readers if p.startswith("verify/claims/")}


def test_the_public_names_are_these():
    assert derivations.__all__ == [
        "Activation", "CovarianceDerivation", "Derivation", "DerivationError", "InputError", "KernelDerivation",
        "KernelExpansion", "KernelFunction", "Parametrization", "SeriesKernel", "Step", "TwoLayer", "activation",
        "certified_expectation", "certified_hermite", "derive", "derive_covariance", "dual", "finite_spectrum_density",
        "finite_spectrum_law", "kernel_function", "network", "parse", "spectrum_density", "spectrum_law",
    ]  # fmt: skip
    assert verify.__all__ == [
        "Audit", "CLAIMS", "Claim", "Evidence", "FiniteNetwork", "KernelEstimate", "Verdict", "empirical_ntk",
        "finite_network", "neuron_moments", "read_input", "run_audit", "width_ladder",
    ]  # fmt: skip


@pytest.mark.parametrize("package", [derivations, verify])
def test_every_public_name_can_be_had_and_has_a_docstring(package: object):
    for name in package.__all__:  # type: ignore[attr-defined]
        value = getattr(package, name)
        assert isinstance(value, dict) or value.__doc__, name
    with pytest.raises(AttributeError):
        _ = package.absent  # type: ignore[attr-defined]


def test_importing_the_packages_loads_nothing_heavy():
    script = "import sys, derivations, verify; assert not {'sympy', 'numpy', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)

"""How well a kernel learns: the test error after t steps of gradient descent, and the profile that minimises it.

`teacher` says what is to be learned, `contour` writes gradient descent as an average over resolvents, `residuals` has the
equations of these on random rows, `law` is the entry point; `profile` makes kernels from power coefficients and activations
from kernels, `design` finds the best. `argument` derives the equations, saying which steps are heuristic.
"""

from derivations.learning.argument import free_design, learning_argument
from derivations.learning.design import Design, best_profile
from derivations.learning.law import LearningCurve, learning_curve
from derivations.learning.profile import activation_expression, profile_expansion
from derivations.learning.teacher import Teacher

__all__ = [
    "Design",
    "LearningCurve",
    "Teacher",
    "activation_expression",
    "best_profile",
    "free_design",
    "learning_argument",
    "learning_curve",
    "profile_expansion",
]

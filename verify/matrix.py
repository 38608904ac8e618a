from derivations.matrix import check_form, check_matrix  # noqa: F401

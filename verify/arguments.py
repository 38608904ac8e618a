from derivations.arguments import check_choice, check_memory, check_positive_integer, shown  # noqa: F401

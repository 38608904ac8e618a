"""Names of emitted functions."""

from __future__ import annotations

from derivations.networks import TwoLayer


def identifier(network: TwoLayer) -> str:
    """A valid identifier for `network`: its name where that is one, else the number of gates says which.

    Examples
    --------
    >>> from derivations import network
    >>> identifier(network("reglu")), identifier(network(expression="abs(z)*z", gates=1))
    ('reglu', 'gated_network')
    """
    if network.name.isidentifier():
        return network.name
    return ("plain_network", "gated_network", "doubly_gated_network")[network.gates]

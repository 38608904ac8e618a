"""Random neurons: which stream of random numbers draws which neuron.

The neurons of a run are cut into chunks whose size depends on the shape of the data alone. Chunk c of network
s draws from the stream with key (s, c), so that the same seed gives the same bits whichever worker computes
the chunk, and in which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from derivations.errors import InputError
from verify.finite import FiniteNetwork, Weights

Seed: TypeAlias = int | np.random.SeedSequence


def chunk_size(n: int, d: int) -> int:
    """Neurons per chunk: one (n, chunk) array is about 1 MB, and a matrix product of it runs at full speed.

    Below 256 columns a rank update of a large kernel waits for memory; beyond 4096 the chunk leaves the cache
    and the 16 microseconds a stream costs are already lost in the noise.

    Examples
    --------
    >>> chunk_size(256, 32), chunk_size(4, 2), chunk_size(10_000, 30)
    (512, 4096, 256)
    """
    return min(max(2**17 // max(n, d), 256), 4096)


def seed_sequence(rng: Seed, *key: int) -> np.random.SeedSequence:
    """The seed sequence below `rng` with the given key, whatever was spawned from `rng` before.

    Parameters
    ----------
    rng : int or numpy.random.SeedSequence
        An int is the entropy.

    Raises
    ------
    InputError
        If `rng` is neither, or negative.

    Examples
    --------
    >>> seed_sequence(7, 2, 0).spawn_key
    (2, 0)
    """
    if isinstance(rng, np.random.SeedSequence):
        return np.random.SeedSequence(rng.entropy, spawn_key=(*rng.spawn_key, *key), pool_size=rng.pool_size)
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0:
        raise InputError(f"rng must be a non-negative integer or a numpy SeedSequence, got {rng!r}")
    return np.random.SeedSequence(int(rng), spawn_key=key)


def draw_neurons(
    network: FiniteNetwork, n: int, d: int, width: int, count: int, seeds: int, rng: Seed
) -> Iterator[Weights]:
    """Draw `count` neurons of each of `seeds` networks of width `width`, chunk by chunk, network by network.

    Parameters
    ----------
    network : FiniteNetwork
    n, d : int
        Shape of the data, which fixes the chunks.
    width : int
        m, which fixes the scale of the weights.
    count, seeds : int
        Neurons per network (`width`, unless a single neuron's law is under study), and networks.
    rng : int or numpy.random.SeedSequence

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> [w.readout.size for w in draw_neurons(finite_network("relu"), 256, 32, 600, 600, 2, rng=0)]
    [512, 88, 512, 88]
    """
    size = chunk_size(n, d)
    # The GNU allocator returns freed memory to the system beyond twice the largest array it has seen freed,
    # and then every chunk pays page faults, up to half the run time. This array is never touched.
    np.empty(2**21)
    for seed in range(seeds):
        for chunk, start in enumerate(range(0, count, size)):
            # SFC64 fills normals a fifth faster than the default PCG64; any two keys give unrelated streams.
            generator = np.random.Generator(np.random.SFC64(seed_sequence(rng, seed, chunk)))
            yield network.draw(generator, d, width, min(size, count - start))

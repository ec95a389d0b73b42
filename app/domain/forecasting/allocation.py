"""Expected amounts in whole minor units that add up, whatever they are grouped by."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def to_the_cent(amounts: Ints, shares: NDArray[np.float64], names: NDArray[np.str_]) -> Ints:
    """amount x share in whole units, (n,), by largest remainder; the sum is the exact sum, rounded.

    `amounts` int64 >= 0, `shares` in [0, 1]; equal remainders go by name, so that the order of rows does not matter.
    No account is given more than its amount. Summing any partition gives the same total, since each account is
    rounded once.
    """
    exact = amounts.astype(np.float64) * shares
    whole = np.minimum(np.floor(exact).astype(np.int64), amounts)
    remainder = np.where(whole < amounts, np.clip(exact - whole, 0.0, 1.0), 0.0)
    # Summed in order of size: a sum that depends on the order of rows could fall on either side of a half.
    missing = min(round(float(np.sort(remainder).sum())), int((remainder > 0).sum()))
    if missing:
        order = np.lexsort((names, -remainder))
        whole[order[:missing]] += 1
    return whole

"""Da Cunha, Natale and Viennot (ICLR 2022): convolutional networks, by a 1 x 1 convolution before each k x k one.

Abstract and review page were available to us, not the proof: n >= C log(c c' k^2 L / min(tol, delta)) random 1 x 1 filters per channel, 2 c n in all, for kernels of
1-norm at most 1 and non-negative inputs. C is not named.
"""

from __future__ import annotations

import math

from strong_lth.bounds.network_bound import NetworkBound, NetworkQuestion, Widths
from strong_lth.bounds.shapes import ConvShape
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference, Verdict


def widths(question: NetworkQuestion) -> Widths | Verdict:
    """Channels 2 c_(l-1) n_l of the intermediate convolutions, n_l = C log(c_(l-1) c_l k_l^2 L / min(tol, delta))."""
    shape = question.shape
    if not isinstance(shape, ConvShape) or question.perturbation > 0 or not 0 < question.tol < 1:
        return Verdict.NOT_APPLICABLE
    least = min(question.tol, question.delta)
    layers = zip(shape.channels[:-1], shape.channels[1:], shape.kernels, strict=True)
    return tuple(
        2 * c * math.ceil(question.constant * math.log(c * d * k * k * shape.depth / least)) for c, d, k in layers
    )


BOUND = NetworkBound(
    id="dacunha2022-cnn",
    title="Convolutional network: n >= C log(c c' k^2 L / min(tol, delta)) filters per channel and sign",
    reference=Reference(
        "da Cunha, Natale and Viennot, ICLR 2022",
        "abstract and review page",
        "https://openreview.net/forum?id=Vjki79-619-",
    ),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited; form unverified, text not available",
    proof=None,
    formula=widths,
)

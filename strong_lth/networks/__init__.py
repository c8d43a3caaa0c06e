"""Target networks, the construction of strong tickets, and their certificates."""

from strong_lth.networks.certificate_file import write_certificate
from strong_lth.networks.certify import ErrorBound, certify, evaluation_error
from strong_lth.networks.construction import approximate, plan
from strong_lth.networks.layer_ticket import Unserved
from strong_lth.networks.mask import Mask
from strong_lth.networks.needed import candidates_needed
from strong_lth.networks.network import Activation, Dense, Network
from strong_lth.networks.source import RandomSource, random_source
from strong_lth.networks.subnetwork import Subnetwork
from strong_lth.networks.verify import verify_gadgets
from strong_lth.networks.verify_perturbation import verify_perturbation

__all__ = [
    "Activation",
    "Dense",
    "ErrorBound",
    "Mask",
    "Network",
    "RandomSource",
    "Subnetwork",
    "Unserved",
    "approximate",
    "candidates_needed",
    "certify",
    "evaluation_error",
    "plan",
    "random_source",
    "verify_gadgets",
    "verify_perturbation",
    "write_certificate",
]

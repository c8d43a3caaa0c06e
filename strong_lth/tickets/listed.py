"""The listed methods, one line each; a class with a track in ``methods/`` that is not listed here fails a test."""

from __future__ import annotations

from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.methods.aws import AWS
from strong_lth.tickets.methods.biprop import Biprop
from strong_lth.tickets.methods.dense import Dense
from strong_lth.tickets.methods.edge_popup import EdgePopup
from strong_lth.tickets.methods.gem_miner import GemMiner
from strong_lth.tickets.methods.imp import IMP
from strong_lth.tickets.methods.iterand import IteRand
from strong_lth.tickets.methods.lrr import LRR
from strong_lth.tickets.methods.one_shot import OneShotMagnitude
from strong_lth.tickets.methods.perturbed import Perturbed
from strong_lth.tickets.methods.projected_sgd import ProjectedSGD, RandomPerturbation
from strong_lth.tickets.methods.random_mask import RandomMask
from strong_lth.tickets.methods.rst import RST
from strong_lth.tickets.methods.stable_rewinding import StableRewinding
from strong_lth.tickets.methods.supermask import Supermask
from strong_lth.tickets.methods.transfer import MaskTransfer, SignTransfer
from strong_lth.tickets.methods.unilth import UniDLTH, UniLTH

NAMES: dict[str, type[TicketMethod]] = {
    "dense": Dense,
    "random-mask": RandomMask,
    "one-shot": OneShotMagnitude,
    "imp": IMP,
    "lrr": LRR,
    "aws": AWS,
    "sign-transfer": SignTransfer,
    "mask-transfer": MaskTransfer,
    "rst": RST,
    "unilth": UniLTH,
    "unidlth": UniDLTH,
    "stable-rewinding": StableRewinding,
    "edge-popup": EdgePopup,
    "biprop": Biprop,
    "gem-miner": GemMiner,
    "supermask": Supermask,
    "iterand": IteRand,
    "projected-sgd": ProjectedSGD,
    "random-perturbation": RandomPerturbation,
    "perturbed": Perturbed,
}

METHODS: tuple[type[TicketMethod], ...] = tuple(NAMES.values())

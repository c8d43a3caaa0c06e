"""Trained tickets in one harness: find sparse networks that train well, score them alike, and count what finding them took.

``find`` makes a ticket, ``evaluate`` alone scores it, ``compare`` makes one row per method, density and seed. Methods are listed in ``METHODS``; each sees a
``TaskView``, which does all training and knows no test data.
"""

from __future__ import annotations

from strong_lth.tickets.backend import Backend
from strong_lth.tickets.comparison import Comparison, planned, read_comparison, run_comparison
from strong_lth.tickets.engine import DivergedError
from strong_lth.tickets.harness import compare, evaluate, find, levels
from strong_lth.tickets.listed import METHODS, NAMES
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
from strong_lth.tickets.methods.unilth import UniDLTH, UniLTH, UniSettings
from strong_lth.tickets.models import MODELS
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.store import FolderStore, MemoryStore
from strong_lth.tickets.task import Task, view
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.ticket_file import load_ticket, save_ticket
from strong_lth.tickets.types import ContractError, Cost, Level, Outcome, Seeds, Ticket, Untrained

__all__ = [
    "AWS",
    "IMP",
    "LRR",
    "METHODS",
    "MODELS",
    "NAMES",
    "RST",
    "Backend",
    "Biprop",
    "Comparison",
    "ContractError",
    "Cost",
    "Dense",
    "DivergedError",
    "EdgePopup",
    "FolderStore",
    "GemMiner",
    "IteRand",
    "Level",
    "MaskTransfer",
    "MemoryStore",
    "OneShotMagnitude",
    "Outcome",
    "Perturbed",
    "ProjectedSGD",
    "RandomMask",
    "RandomPerturbation",
    "Recipe",
    "Seeds",
    "SignTransfer",
    "StableRewinding",
    "Supermask",
    "Task",
    "TaskView",
    "Ticket",
    "TicketMethod",
    "UniDLTH",
    "UniLTH",
    "UniSettings",
    "Untrained",
    "compare",
    "evaluate",
    "find",
    "levels",
    "load_ticket",
    "planned",
    "read_comparison",
    "run_comparison",
    "save_ticket",
    "view",
]

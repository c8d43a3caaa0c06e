"""Drills of the ticket's gates: each plants one fault and sees it caught."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from network_targets import random_target

import strong_lth as lth
from strong_lth.core import canonical_hash
from strong_lth.networks import write_certificate
from strong_lth.networks.layer_ticket import LayerTicket

CHECKER = Path(__file__).resolve().parents[2] / "proofs" / "check_certificate.py"
TARGET = random_target(0)
PERTURBATION = 1e-3


@pytest.fixture(scope="module")
def strong() -> lth.Subnetwork:
    return lth.approximate(TARGET, domain=lth.Box(-1, 1), tol=0.3, perturbation=PERTURBATION, width=16, seed=5)


def with_layer(strong: lth.Subnetwork, index: int, ticket: LayerTicket) -> lth.Subnetwork:
    return replace(strong, layers=(*strong.layers[:index], ticket, *strong.layers[index + 1 :]))


def failures(strong: lth.Subnetwork) -> list[str]:
    by_certify = lth.certify(TARGET, strong, domain=strong.domain).certificate
    by_gadgets = lth.verify_gadgets(TARGET, strong)
    assert by_certify.ok == by_gadgets.ok
    return [check.name for check in by_gadgets.failures]


def test_the_honest_ticket_passes(strong: lth.Subnetwork):
    assert failures(strong) == []


@pytest.mark.parametrize("layer", [0, 1])
def test_one_flipped_kept_bit(strong: lth.Subnetwork, layer: int):
    rng = np.random.default_rng(layer)
    ticket = strong.layers[layer]
    for _ in range(20):
        keep = ticket.keep.copy()
        place = tuple(rng.integers(0, size) for size in keep.shape)
        if abs(strong.source.layers[layer].even_weights[place]) < 0.1:
            continue
        keep[place] = ~keep[place]
        shift = np.where(keep, ticket.shift, 0.0)
        assert failures(with_layer(strong, layer, LayerTicket(keep, shift))) == [
            f"layer {layer + 1}: every served weight within its tolerance"
        ]


def test_one_shift_over_the_perturbation_by_a_hair(strong: lth.Subnetwork):
    ticket = strong.layers[0]
    place = tuple(np.argwhere(ticket.keep)[3])
    for allowed, caught in ((PERTURBATION, False), (PERTURBATION + 2.0**-40, True)):
        shift = ticket.shift.copy()
        weight = strong.source.layers[0].even_weights[place]
        moved = weight + allowed
        shift[place] = np.floor((moved - weight) * 2.0**50 if caught else PERTURBATION * 2.0**50) * 2.0**-50
        names = failures(with_layer(strong, 0, LayerTicket(ticket.keep, shift)))
        assert ("layer 1: every shift within the perturbation" in names) == caught


def test_a_shift_on_a_weight_that_is_not_kept(strong: lth.Subnetwork):
    ticket = strong.layers[0]
    shift = ticket.shift.copy()
    shift[tuple(np.argwhere(~ticket.keep)[0])] = 1e-6
    assert "layer 1: every shift within the perturbation" in failures(
        with_layer(strong, 0, LayerTicket(ticket.keep, shift))
    )


def test_weights_replaced_by_the_target(strong: lth.Subnetwork):
    """One unit per weight whose random value is the target's weight itself: perfect, and not the seed's network."""
    scaled = strong.rescaled(TARGET)
    part = strong.source.layers[0]
    even, keep = part.even.copy(), np.zeros_like(part.even, dtype=bool)
    columns = np.column_stack([scaled.dense[0].weight, scaled.dense[0].bias])
    for position in range(part.inputs + 1):
        for sign in (1, -1)[: 1 + (position < part.inputs)]:
            unit = part.serving(position, sign)[0]
            even[:, unit] = np.rint(np.ldexp(sign * columns[:, position], part.even_exponent))
            keep[:, unit] = True
    forged = replace(strong.source, layers=(replace(part, even=even), strong.source.layers[1]))
    planted = replace(with_layer(strong, 0, LayerTicket(keep, np.zeros_like(part.even_weights))), source=forged)
    assert failures(planted) == ["layer 1: kept weights are those of the seed"]


def test_a_weight_hidden_among_the_unserved_is_still_in_the_error(strong: lth.Subnetwork):
    """Listing a broken weight as unserved excuses its tolerance, never the certified error."""
    keep = strong.layers[1].keep.copy()
    keep[0] = False
    broken = with_layer(strong, 1, LayerTicket(keep, np.where(keep, strong.layers[1].shift, 0.0)))
    listed = tuple(lth.networks.Unserved(2, 0, position, "+", "density", 1.0) for position in range(6))
    error = lth.certify(TARGET, replace(broken, unserved=listed), domain=strong.domain)
    x = np.random.default_rng(0).uniform(-1, 1, (500, 4))
    import torch

    seen = np.abs(broken.to_torch()(torch.from_numpy(x)).numpy() - TARGET(x)).max()
    assert error.certificate.ok
    assert error.a_priori == np.inf
    assert 0.3 < seen <= error.certified


# ---------------------------------------------------------------------------------------------------------------- certificate.json


@pytest.fixture(scope="module")
def document(strong: lth.Subnetwork, tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = tmp_path_factory.mktemp("certificate") / "certificate.json"
    write_certificate(TARGET, strong, lth.certify(TARGET, strong, domain=strong.domain), path)
    return json.loads(path.read_text())


def shifted(text: str, change: float) -> str:
    return (float.fromhex(text) + change).hex()


def flip_kept_index(document: dict) -> None:
    kept = document["layers"][0]["keep"][1]
    kept[0] = next(unit for unit in range(kept[0] + 1, 10**6) if unit not in kept)
    kept.sort()


def drop_kept_index(document: dict) -> None:
    document["layers"][1]["keep"][0].pop()
    document["layers"][1]["shift"][0].pop()


def change_shift(document: dict) -> None:
    document["layers"][0]["shift"][0][0] = (PERTURBATION + 2.0**-40).hex()


def change_small_shift(document: dict) -> None:
    document["layers"][0]["shift"][0][0] = shifted(document["layers"][0]["shift"][0][0], 2.0**-60)


def change_target_weight(document: dict) -> None:
    document["target"][0]["weight"][2][1] = shifted(document["target"][0]["weight"][2][1], 0.01)


def change_target_bias(document: dict) -> None:
    document["target"][1]["bias"][0] = shifted(document["target"][1]["bias"][0], 0.05)


def scale_certified(factor: float):
    def change(document: dict) -> None:
        claim = document["claim"]
        value = (float.fromhex(claim["certified"]) * factor).hex()
        claim["certified"] = claim["bounds"][claim["method"]] = value

    return change


def certified_alone(document: dict) -> None:
    document["claim"]["certified"] = (float.fromhex(document["claim"]["certified"]) / 2).hex()


def raise_found(document: dict) -> None:
    document["claim"]["found"] = (float.fromhex(document["claim"]["found"]) * 1.01).hex()


def move_found(document: dict) -> None:
    document["claim"]["found_at"][0] = (1.5).hex()


def widen_domain(document: dict) -> None:
    document["domain"]["high"] = (2.0).hex()


def narrow_domain_of_halves(document: dict) -> None:
    document["domain"]["low"] = (0.0).hex()


def change_seed(document: dict) -> None:
    document["source"]["seed"] += 1


def change_law(document: dict) -> None:
    document["source"]["law"]["high"], document["source"]["law"]["low"] = (2.0).hex(), (-2.0).hex()


def change_gain(document: dict) -> None:
    document["scaling"]["gain"] -= 1


def change_rows(document: dict) -> None:
    document["scaling"]["rows"][0][0] += 1


def tighten_tolerance(document: dict) -> None:
    document["weight_tol"][0] = (float.fromhex(document["weight_tol"][0]) / 1e6).hex()


def repeat_kept_index(document: dict) -> None:
    entry = document["layers"][0]
    entry["keep"][0].insert(0, entry["keep"][0][0])
    entry["shift"][0].insert(0, entry["shift"][0][0])


def set_field(*path: object, value: object):
    def change(document: dict) -> None:
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    change.__name__ = ".".join(map(str, path)) + f"={value}"
    return change


def hide_behind_the_other_method(document: dict) -> None:
    claim = document["claim"]
    other = next(name for name in ("difference-interval", "joint-zonotope") if name != claim["method"])
    claim["bounds"][other] = (0.0).hex()
    claim["certified"], claim["method"] = claim["bounds"][other], other


def found_above_certified(document: dict) -> None:
    document["claim"]["found"] = (float.fromhex(document["claim"]["certified"]) * 2).hex()


def list_twice_as_unserved(document: dict) -> None:
    document["unserved"] = [[1, 0, 0, "+"], [1, 0, 0, "+"]]


def list_a_stranger_as_unserved(document: dict) -> None:
    document["unserved"] = [[1, 99, 0, "+"]]


STRICT = [
    set_field("scaling", "gain", value=float("inf")),
    set_field("scaling", "gain", value=1.0),
    set_field("scaling", "gain", value=True),
    set_field("scaling", "gain", value=10**12),
    set_field("scaling", "rows", value=[[0.0] * 5]),
    set_field("domain", "low", value=-50),
    set_field("domain", "low", value=(3.0).hex()),
    set_field("domain", "radius", value=(1.0).hex()),
    set_field("version", value=True),
    set_field("source", "first", value={"law": "BalancedSigns", "low": (0.0).hex()}),
    set_field("source", "first", value={"law": "Uniform", "low": (-2.0).hex(), "high": (2.0).hex()}),
    set_field("source", "kept_sha256", value="0" * 64),
    set_field("source", "widths", value=[16]),
    set_field("source", "widths", value=[10**9, 16]),
    set_field("tol", value="hello"),
    set_field("perturbation", value="inf"),
    set_field("claim", "bounds", "invented", value=(0.0).hex()),
    set_field("note", value="extra"),
]

FAULTS = [
    repeat_kept_index,
    hide_behind_the_other_method,
    found_above_certified,
    list_twice_as_unserved,
    list_a_stranger_as_unserved,
    flip_kept_index,
    drop_kept_index,
    change_shift,
    change_small_shift,
    change_target_weight,
    change_target_bias,
    scale_certified(0.999),
    certified_alone,
    raise_found,
    move_found,
    widen_domain,
    narrow_domain_of_halves,
    change_seed,
    change_law,
    change_gain,
    change_rows,
    tighten_tolerance,
]


def outcome(document: dict, path: Path) -> str:
    path.write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), str(path), "--json"], capture_output=True, text=True, timeout=120
    )
    answer = json.loads(done.stdout)["outcome"]
    assert (done.returncode == 0) == (answer == "accepted")
    return answer


def test_the_honest_certificate_is_accepted(document: dict, tmp_path: Path):
    assert outcome(document, tmp_path / "c.json") == "accepted"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_one_change_with_the_hash_recomputed_is_rejected(document: dict, tmp_path: Path, fault):
    changed = json.loads(json.dumps(document))
    fault(changed)
    assert outcome(changed, tmp_path / "c.json") == "rejected", "the old hash must give it away"
    changed["hash"] = canonical_hash(changed)
    assert outcome(changed, tmp_path / "c.json") == "rejected"


@pytest.mark.parametrize("fault", STRICT, ids=lambda fault: fault.__name__)
def test_anything_unexpected_is_refused(document: dict, tmp_path: Path, fault):
    changed = json.loads(json.dumps(document))
    fault(changed)
    changed["hash"] = canonical_hash(changed)
    assert outcome(changed, tmp_path / "c.json") in ("rejected", "not a certificate")


def test_deep_nesting_and_repeated_fields_are_refused(document: dict, tmp_path: Path):
    path = tmp_path / "c.json"
    for text in ("[" * 100_000 + "]" * 100_000, '{"format": 1, ' + json.dumps(document)[1:]):
        path.write_text(text)
        done = subprocess.run(
            [sys.executable, "-I", str(CHECKER), str(path)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 2
        assert done.stderr == ""


def test_fields_of_the_source_are_compared_with_the_seed(strong: lth.Subnetwork):
    """Signs, exponents, units, and weights changed behind a frozen view."""
    part = strong.source.layers[0]
    for change in (
        {"unit_sign": np.ones_like(part.unit_sign)},
        {"odd_exponent": -2},
        {"unit_input": np.roll(part.unit_input, 1)},
        {"odd": -part.odd},
        {"even_exponent": 41},
    ):
        forged = replace(strong.source, layers=(replace(part, **change), strong.source.layers[1]))
        certificate = lth.verify_gadgets(TARGET, replace(strong, source=forged))
        assert "layer 1: kept weights are those of the seed" in [check.name for check in certificate.failures], change
    with pytest.raises(ValueError, match="read-only"):
        part.even_weights[...] *= 4
    with pytest.raises(ValueError, match="read-only"):
        part.even[0, 0] = 0


def test_moved_weights_outside_their_box(strong: lth.Subnetwork):
    moved = strong.source.moved([part.even_weights + 1e-3 for part in strong.source.layers], 1.1e-3)
    honest = lth.approximate(TARGET, domain=lth.Box(-1, 1), tol=0.3, source=moved, seed=5)
    assert lth.verify_gadgets(TARGET, honest).ok
    planted = replace(honest, source=replace(moved, perturbation_used=1e-4))
    assert "layer 1: kept weights are those of the seed" in [
        c.name for c in lth.verify_gadgets(TARGET, planted).failures
    ]

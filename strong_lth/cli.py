"""The command line, ``strong-lth``: one function per command, listed in ``COMMANDS``.

A command returns its exit status: 0, or 1 where the mathematics says no. Bad input, unreadable files and exceeded budgets become one sentence
on stderr and status 2. Everything heavy is imported inside the commands: numpy must not load before ``main`` has set the thread counts,
and ``--help`` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TextIO

import tyro

import strong_lth
from strong_lth.commands.claims import bounds, check, proofs
from strong_lth.commands.construction import approximate, certify, verify_perturbation
from strong_lth.commands.environment import data, doctor
from strong_lth.commands.main_job import demo
from strong_lth.commands.simulations import runs, simulate
from strong_lth.commands.sums import cover, solve
from strong_lth.commands.threads import THREAD_VARIABLES
from strong_lth.commands.trained import compare, tickets

COMMANDS: tuple[Callable[..., int], ...] = (
    demo,
    solve,
    cover,
    bounds,
    check,
    approximate,
    certify,
    verify_perturbation,
    tickets,
    compare,
    simulate,
    runs,
    proofs,
    data,
    doctor,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; ``argv`` defaults to the arguments of the process."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments in (["--version"], ["-V"]):
        print(f"strong-lth {strong_lth.__version__}")
        return 0
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("strong-lth: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has gone; without this the interpreter would complain while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, MemoryError, OSError) as error:
        from strong_lth.core import FormatError, InputError

        if isinstance(error, ValueError) and not isinstance(error, InputError | FormatError):
            raise
        print(f"strong-lth: {_sentence(error)}", file=sys.stderr)
        return 2


def _run(arguments: Sequence[str]) -> int:
    status: int = tyro.extras.subcommand_cli_from_dict(
        {command.__name__.replace("_", "-"): command for command in COMMANDS},
        prog="strong-lth",
        description=f"Predict, find, prove and compare strong lottery tickets (strong-lth {strong_lth.__version__}).",
        args=list(arguments),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return status


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{error.filename}: "
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = (
            "; free some space and run it again (simulate: with --resume), what was stored is whole" if full else ""
        )
        return f"{where}{error.strerror.lower()}{remedy}"
    return " ".join(str(error).split()) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"strong-lth: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

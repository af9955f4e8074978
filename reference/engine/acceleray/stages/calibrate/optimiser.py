"""Which optimiser fits: the compiled one where its machine code can be made and kept, or else that of
arch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acceleray.compiled import CannotCompileError, load
from acceleray.quant.garch_compiled import PROGRAM
from acceleray.quant.path_walks import DAYS, machine_code
from acceleray.settings import Settings

BELOW_CACHE = "compiled"


def machine_code_folder(settings: Settings, say: Callable[[str], None]) -> Path | None:
    """Return the folder that the compiled optimiser is kept in, or None where that of arch fits.

    The driver decides for all of its workers, so that no fit depends on who computes it. It compiles what is
    missing, which takes about ten seconds once on each machine; a worker on another machine that has not got
    it does the same, one process for all. Where nothing can be compiled or kept, one line says why.
    """
    if settings.calibration.optimiser == "arch":
        return None
    folder = settings.cache_dir / BELOW_CACHE
    try:
        load(PROGRAM, folder, kept=True)
    except CannotCompileError as error:
        say(f"    {error}: arch is used instead of the compiled optimiser, ten times as slow")
        return None
    return folder


def path_code_folder(settings: Settings) -> Path | None:
    """Return the folder in which the code of simulated paths is kept, or None where NumPy is to do the same.

    Their numbers are the same to the bit, so nobody need be told, and only a folder that cannot be written is
    a reason: each worker would compile for itself.
    """
    folder = settings.cache_dir / BELOW_CACHE
    return folder if machine_code(DAYS, folder, kept=True) else None

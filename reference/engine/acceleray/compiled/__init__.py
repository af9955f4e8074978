"""Compiled: plain functions of numbers and arrays as machine code, made once on each machine."""

from acceleray.compiled.code import CannotCompileError, load
from acceleray.compiled.program import DEFAULT_FOLDER, Program

__all__ = ["DEFAULT_FOLDER", "CannotCompileError", "Program", "load"]

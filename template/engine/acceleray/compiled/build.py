"""From functions to machine code that stands alone: numba types them, LLVM optimises them as one.

What numba makes calls back into Python only to report an error, and none of these functions raises one. With
everything but the entry hidden, LLVM sees that and removes those calls, so the code wants nothing of numba
where it is loaded, and a process that loads it takes a tenth of a second instead of a second. No fast
mathematics: additions stay in the order they are written in, so results do not depend on the processor's
width.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import sys
from importlib import metadata
from types import FunctionType
from typing import Any

from acceleray.compiled.program import Program

ENTRY = "acceleray_entry"
# Of the C library and its mathematics; anything else would be a piece of numba that is not there.
_KNOWN = {"exp", "expm1", "fabs", "lgamma", "log", "log1p", "memcpy", "memmove", "memset", "pow", "sqrt"}


def object_code(program: Program) -> bytes:
    """Return the machine code of a program for this processor, as an object file.

    Raises:
        ImportError: numba is not installed.
        Exception: whatever numba or LLVM say of functions that they cannot compile.
    """
    collecting = gc.isenabled()
    gc.disable()  # a tenth of the time: millions of small objects, all of them in use
    try:
        return _object_code(program)
    finally:
        if collecting:
            gc.enable()


def _object_code(program: Program) -> bytes:
    import llvmlite.binding as llvm
    from numba import carray, cfunc, njit, types

    scope: dict[str, Any] = {}
    for function in program.functions:
        # As written, but calling the compiled ones before it.
        code = getattr(function, "__code__")  # noqa: B009 - mypy knows no code of a callable
        linked = FunctionType(code, {**function.__globals__, **scope}, function.__name__)
        scope[function.__name__] = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(
            linked
        )
    pointers = {f"{name}*": types.CPointer(getattr(types, name)) for name in ("float64", "int64", "int32")}
    kinds = {**pointers, "int64": types.int64}
    signature = types.int64(*(kinds[argument] for argument in program.arguments))
    entry = program.entry(scope[program.functions[-1].__name__], carray)
    made = cfunc(signature, error_model="numpy")(entry)
    module = llvm.parse_assembly(made.inspect_llvm())
    module.name = program.name
    # Names of numba count what a process has compiled before; these are the same every time.
    for number, function in enumerate(module.functions):
        if function.name == made.native_name:
            function.name = ENTRY
        elif not function.is_declaration:
            function.linkage, function.name = "internal", f"function_{number}"
    for number, variable in enumerate(module.global_variables):
        if not variable.is_declaration:
            variable.linkage, variable.name = "internal", f"variable_{number}"
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=_features(),
        opt=3,
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(module, passes)
    wanted = {one.name for one in module.functions if one.is_declaration}
    unknown = sorted(name for name in wanted - _KNOWN if not name.startswith("llvm."))
    if unknown:
        raise ValueError(f"{program.name} calls {', '.join(unknown[:3])}, which only numba has")
    return bytes(machine.emit_object(module))


def digest(program: Program) -> str:
    """Return 20 hex digits of what decides the machine code: source, compiler and processor.

    Raises:
        ImportError: llvmlite is not installed.
    """
    import llvmlite.binding as llvm

    modules = {one.__module__ for one in (*program.functions, program.entry)} | {__name__}
    parts = [inspect.getsource(sys.modules[module]) for module in sorted(modules)]
    parts += [*(function.__name__ for function in program.functions), *program.arguments]
    parts += [*map(metadata.version, ("numba", "llvmlite")), str(sys.version_info[:2])]
    parts += [llvm.get_process_triple(), llvm.get_host_cpu_name(), _features()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _features() -> str:
    import llvmlite.binding as llvm

    with contextlib.suppress(RuntimeError):  # some processors' abilities are not known to LLVM
        return str(llvm.get_host_cpu_features().flatten())
    return ""


def linked(code: bytes) -> tuple[Any, int]:
    """Return the address of the entry of an object file, and what must live as long as it is called."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, int(engine.get_function_address(ENTRY))

"""Machine code: made once, kept, found again, made again where it is damaged, and refused in a line."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acceleray.compiled import CannotCompileError, Program, build, code, load
from compiled.kernels import doubled, entry, total_of_doubles, without_a_type
from engines.living import PATIENCE_S

PROGRAM = Program("total", (doubled, total_of_doubles), entry, ("float64*", "int64", "float64*"))
SCRIPT = """
import sys
from pathlib import Path
from acceleray.compiled import build, code, load
from compiled.test_compiled import PROGRAM, total
made = code.object_code
def counted(program):
    print("compiles", flush=True)
    return made(program)
code.object_code = counted
print(total(load(PROGRAM, Path(sys.argv[1]))))
"""


def total(function):
    values, out = np.arange(5.0), np.empty(1)
    assert function(values.ctypes.data, values.size, out.ctypes.data) == 5
    return float(out[0])


@pytest.fixture
def compiled(monkeypatch):
    """Return a list that grows with each compilation."""
    counted, made = [], code.object_code
    monkeypatch.setattr(code, "object_code", lambda program: counted.append(program) or made(program))
    code._load.cache_clear()
    yield counted
    code._load.cache_clear()


def test_a_program_is_compiled_once_and_found_by_the_next_process(tmp_path, compiled):
    assert total(load(PROGRAM, tmp_path / "made")) == 20.0
    assert total(load(PROGRAM, tmp_path / "made")) == 20.0
    assert len(compiled) == 1
    code._load.cache_clear()
    assert total(load(PROGRAM, tmp_path / "made")) == 20.0
    assert len(compiled) == 1
    assert len(list((tmp_path / "made").glob("*.o"))) == 1


def test_machine_code_stands_alone_and_is_the_same_every_time():
    first = build.object_code(PROGRAM)
    assert first == build.object_code(PROGRAM)
    # What numba would have to bring at run time is gone, and so are its calls of Python.
    assert b"numba" not in first
    assert b"Py" not in first


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_file_is_compiled_again(tmp_path, compiled, damage):
    load(PROGRAM, tmp_path)
    (file,) = tmp_path.glob("*.o")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    code._load.cache_clear()
    assert total(load(PROGRAM, tmp_path)) == 20.0
    assert len(compiled) == 2
    assert file.read_bytes() == whole


def test_bytes_that_are_not_those_written_are_no_machine_code(tmp_path):
    # LLVM ends the process over what it cannot read.
    file = tmp_path / "kept.o"
    assert code._kept(file) is None
    file.write_bytes(hashlib.sha256(b"whole").hexdigest().encode() + b"\nwhole")
    assert code._kept(file) == b"whole"
    file.write_bytes(hashlib.sha256(b"whole").hexdigest().encode() + b"\nwhol3")
    assert code._kept(file) is None


def test_of_processes_that_want_it_at_once_one_compiles(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(process.communicate(timeout=PATIENCE_S)[0] for process in both).split()
    assert sorted(said) == ["20.0", "20.0", "compiles"]


def test_a_folder_that_cannot_be_written_costs_each_process_its_own_or_is_refused(tmp_path, compiled):
    (tmp_path / "file").touch()
    nowhere = tmp_path / "file" / "folder"
    assert total(load(PROGRAM, nowhere)) == 20.0
    with pytest.raises(CannotCompileError, match=r"folder cannot be written \(Not a directory\)"):
        load(PROGRAM, nowhere, kept=True)
    assert len(compiled) == 1


def test_without_numba_or_with_what_it_cannot_compile_the_reason_is_a_line(tmp_path, monkeypatch, compiled):
    broken = replace(PROGRAM, name="broken", functions=(without_a_type,))
    with pytest.raises(CannotCompileError, match=r"^broken cannot be compiled \(\w+: .+\)$"):
        load(broken, tmp_path)
    # A reason is found once in a process, not once for each fit.
    with pytest.raises(CannotCompileError, match="broken"):
        load(broken, tmp_path)
    assert len(compiled) == 1
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(CannotCompileError, match=r"^numba is not installed$"):
        load(PROGRAM, tmp_path)


def test_another_source_another_compiler_and_another_processor_have_files_of_their_own(monkeypatch):
    import llvmlite.binding as llvm

    digest = build.digest(PROGRAM)
    assert digest == build.digest(PROGRAM)
    assert digest != build.digest(replace(PROGRAM, functions=(total_of_doubles,)))
    with monkeypatch.context() as patch:
        patch.setattr(llvm, "get_host_cpu_name", lambda: "another")
        assert build.digest(PROGRAM) != digest
    with monkeypatch.context() as patch:
        patch.setattr(build.metadata, "version", lambda package: "0.0")
        assert build.digest(PROGRAM) != digest
    with monkeypatch.context() as patch:
        patch.setattr(build.inspect, "getsource", lambda module: Path(module.__file__).read_text() + "#")
        assert build.digest(PROGRAM) != digest

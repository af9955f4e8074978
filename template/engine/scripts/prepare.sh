#!/bin/sh
# Prepare a Python environment from lock files, unless that was already done:
#     prepare.sh FOLDER LOCK... [-- LOCK_INCLUDED_IN_THEM...]
# A lock without a library in it asks for nothing.
# The stamp holds the checksums of the locks an environment satisfies. It is written last, so an interrupted
# installation is redone from scratch and a changed lock installs again.
set -eu

venv=$1
shift
stamp=$venv/.locks
missing=
for lock in "$@"; do
    [ "$lock" != -- ] || break
    grep -q '==' "$lock" || continue
    grep -qxF "$(cksum < "$lock")" "$stamp" 2>/dev/null || missing=$lock
done

if [ -x "$venv/bin/python" ] && [ -z "$missing" ]; then
    exit 0
fi

if [ ! -f "$stamp" ] && [ -n "$(ls -A "$venv" 2>/dev/null)" ]; then
    echo "$venv holds files that this project did not put there; remove it, or name another folder with VENV=..." >&2
    exit 1
fi

supported='import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
python=
for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c "$supported" 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "No Python 3.11, 3.12 or 3.13 found; install one of them and run the same command again." >&2
    exit 1
fi

echo "Preparing $venv: ${COST:-a few minutes and about 2 GB of disk}, once ..."
# Remove the contents only: the folder may be a mount, and only a stamped one comes this far.
mkdir -p "$venv"
: > "$stamp"
find "$venv" -mindepth 1 ! -path "$stamp" -delete
"$python" -m venv "$venv"
log=$venv/install.log
# pip reads every lock that asks for something; the stamp gets those and what they include.
satisfied=$venv/.locks.new
: > "$satisfied"
total=0
included=
for lock in "$@"; do
    shift
    if [ "$lock" = -- ]; then
        included=yes
        continue
    fi
    cksum < "$lock" >> "$satisfied"
    grep -q '==' "$lock" || continue
    [ -z "$included" ] || continue
    total=$((total + $(grep -c '==' "$lock")))
    set -- "$@" -r "$lock"
done
# What pip says goes to the log; a person sees that it moves.
{ "$venv/bin/python" -m pip install --disable-pip-version-check --require-hashes "$@" 2>&1 || echo "pip failed"; } |
    while IFS= read -r line; do
        echo "$line" >> "$log"
        case $line in
        Collecting*)
            count=$((${count:-0} + 1))
            [ $((count % 20)) -ne 0 ] || echo "  $count of at most $total libraries fetched"
            ;;
        Installing*) echo "  installing" ;;
        "pip failed")
            echo "The libraries could not be installed. The end of $log:" >&2
            tail -n 12 "$log" >&2
            exit 1
            ;;
        esac
    done
mv "$satisfied" "$stamp"

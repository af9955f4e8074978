"""Judge answers as strictly as Copier does not, all at once, and before anything is written."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copier import Settings, run_copy
from copier.errors import CopierError, CopierWarning
from jinja2 import TemplateError

from acceleray_cli import names, quick
from acceleray_cli.answers import Answers, read_questions, unknown, wrong_type
from acceleray_cli.refusals import RefusedError, flat, in_plain_words

NAMED = re.compile(
    r"\A(?:Validation error for question|Invalid choice for) '(?P<name>[^']+)': (?P<text>.*)\Z", re.DOTALL
)
# A computed value of a template: lines to tell people about their answers, such as what these bring along.
NOTES = "notes"
NOT_OFFERED = re.compile(r"\A(?P<value>.*) is not in (?P<choices>\[.*\])\Z", re.DOTALL)


def complete(
    questions: Path, given: Mapping[str, Any], recorded: Mapping[str, Any] | None = None, ask: bool = False
) -> tuple[Answers, list[str]]:
    """Return the answers to every question, and what the template says of them, in lines.

    An answer is the one given, else the one recorded, else it is asked for or the default.

    Args:
        questions: A folder with the template's questions.
        given: Answers that are meant; every one must have an effect.
        recorded: Answers of an existing project; one that is not asked for any more is left out.
        ask: Ask at the terminal for what is neither given nor recorded.

    Raises:
        RefusedError: one line for each answer that cannot be used.
    """
    known = read_questions(questions)
    kept = {
        name: answer
        for name, answer in (recorded or {}).items()
        if name in known and name not in given and not known[name].computed
    }
    problems = [unknown(name, known) for name in given if name not in known]
    problems += [
        f"{name}: it is computed from other answers and cannot be given; leave it out."
        for name in given
        if name in known and known[name].computed
    ]
    good: Answers = {}
    for name, answer in {**kept, **given}.items():
        if name not in known or known[name].computed:
            continue
        if problem := wrong_type(known[name], answer):
            problems.append(problem)
        else:
            good[name] = answer
    found, answers, hidden = _judge(questions, good)
    # What another answer has put out of question is not carried along, so that it does not fit is no problem.
    idle = kept.keys() & hidden
    problems += [line for name, line in found if name not in idle and (name in good or not ask)]
    good = {name: answer for name, answer in good.items() if name not in idle}
    found_names = {name for name, _ in found}
    problems += [line for name, line in names.refused(good) if name not in found_names | hidden]
    if problems:
        raise RefusedError(*dict.fromkeys(problems))
    if ask:
        left = [name for name in known if name in answers and name not in good and name not in hidden]
        if left and not sys.stdin.isatty():
            raise RefusedError(f"There is no terminal to ask for {', '.join(left)}; add --defaults.")
        answers, hidden = _asked(questions, good)
    dropped = hidden & good.keys()
    if no_effect := [name for name in given if name in dropped]:
        raise RefusedError(
            *(f"{name}: with the other answers it is not asked; leave it out." for name in no_effect)
        )
    notes = str(answers.get(NOTES, "")).splitlines() if NOTES in known and known[NOTES].computed else []
    return {name: answers[name] for name in known if name in answers and name not in hidden}, notes


def _asked(questions: Path, good: Answers) -> tuple[Answers, set[str]]:
    """Return the answers after asking for the rest, and once more for those that only we know to be wrong."""
    answers, hidden = _run(questions, good, defaults=False)
    while wrong := [entry for entry in names.refused(answers) if entry[0] not in hidden]:
        for _, line in wrong:
            print(line, file=sys.stderr)
        again = hidden.union(name for name, _ in wrong)
        kept = {name: answer for name, answer in answers.items() if name not in again}
        answers, hidden = _run(questions, kept, defaults=False)
    return answers, hidden


def _judge(questions: Path, answers: Answers) -> tuple[list[tuple[str, str]], Answers, set[str]]:
    """Return what Copier refuses, all answers with their defaults, and the names of those not asked for."""
    found: list[tuple[str, str]] = []
    left = dict(answers)
    while True:
        try:
            return found, *_run(questions, left, defaults=True)
        except (ValueError, CopierError, TemplateError) as error:
            name, line = explain(error)
            if name in left:
                # Copier stops at the first: leave it out and see what it says of the others.
                found.append((name, line))
                del left[name]
                continue
            # A default that does not fit: of interest only if it does not follow from what was just left out.
            return found or [(name, f"{line} It was not given; give it with --set {name}=...")], {}, set()


def _run(questions: Path, answers: Answers, defaults: bool) -> tuple[Answers, set[str]]:
    with warnings.catch_warnings(), quick.writing():
        warnings.simplefilter("ignore", CopierWarning)
        worker = run_copy(
            str(questions),
            questions / "nowhere",
            data=answers,
            defaults=defaults,
            pretend=True,
            quiet=True,
            exclude=["*"],
            # Own settings of whoever runs this would change the defaults; only the answers may.
            settings=Settings(),
        )
    return dict(worker.answers.combined), set(worker.answers.hidden)


def explain(error: Exception) -> tuple[str, str]:
    """Return the name of the question that an error of Copier is about, and the error in one plain line."""
    match = NAMED.match(str(error))
    if not match:
        return "", flat(f"The answers cannot be used: {error}")
    name, text = match["name"], match["text"]
    if choice := NOT_OFFERED.match(text):
        text = (
            f"{choice['value']} is not offered; choose from {', '.join(map(str, _list(choice['choices'])))}."
        )
    return name, flat(f"{name}: {text}")


def _list(text: str) -> list[Any]:
    try:
        return list(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return [text]


def check_asked(questions: Path, given: Mapping[str, Any], ask: bool) -> tuple[Answers, list[str]]:
    """Return the answers of a new project, asked for where they are not given, and what is said of them."""
    with in_plain_words("The questions"):
        return complete(questions, given, ask=ask)

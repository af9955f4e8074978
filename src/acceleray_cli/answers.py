"""Answers as they are given: in a file, or one by one as name=value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from acceleray_cli.refusals import RefusedError, flat

Answers = dict[str, Any]

SETTING = re.compile(r"\A([A-Za-z_][A-Za-z0-9_]*)(\+=|-=|=)(.*)\Z", re.DOTALL)
# What a value must be for each type of question, in Python and in words.
TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "text; put it in quotes"),
    "path": ((str,), "text; put it in quotes"),
    "int": ((int,), "a whole number, without quotes"),
    "float": ((int, float), "a number, without quotes"),
    "bool": ((bool,), "true or false, without quotes"),
}
YES_OR_NO = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Question:
    """Facts about a question, needed before Copier looks at an answer to it."""

    name: str
    type: str
    several: bool
    computed: bool


class _Strict(yaml.SafeLoader):
    """Read YAML, and refuse a name that stands twice: YAML itself keeps the last one in silence."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    names = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(f"{name}: it is answered twice; keep one of the lines.")
    return dict(loader.construct_pairs(node, deep=True))


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_questions(folder: Path) -> dict[str, Question]:
    """Return the questions in the copier.yml of a folder by their names."""
    return dict(_questions((folder / "copier.yml").read_bytes()))


def read_template(folder: Path) -> dict[str, Any]:
    """Return all that the copier.yml of a folder says: settings of Copier and questions."""
    return dict(_template((folder / "copier.yml").read_bytes()))


# A command asks for the same questions several times, and YAML is slow.
@lru_cache(maxsize=8)
def _template(text: bytes) -> dict[str, Any]:
    return dict(yaml.load(text.decode("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@lru_cache(maxsize=8)
def _questions(text: bytes) -> dict[str, Question]:
    questions = {}
    for name, details in _template(text).items():
        if name.startswith("_"):
            continue
        details = details if isinstance(details, dict) else {"default": details}
        fallback = type(details.get("default")).__name__
        kind = details.get("type") or (fallback if fallback in TYPES else "yaml")
        never = str(details.get("when", True)).strip().lower() in ("false", "no", "{{ false }}")
        questions[name] = Question(name, kind, bool(details.get("multiselect")), never)
    return questions


def read_file(path: Path) -> Answers:
    """Return the answers in a YAML file, without what Copier records besides them.

    Raises:
        RefusedError: it cannot be read, or it is not a list of names with answers.
    """
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)
    except OSError as error:
        raise RefusedError(f"{path} cannot be read ({error.strerror}); name a file of answers.") from error
    except RefusedError as refusal:
        raise RefusedError(*(f"{path}: {line}" for line in refusal.lines)) from refusal
    except UnicodeDecodeError as error:
        raise RefusedError(f"{path}: it is not text in UTF-8; save it as such.") from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise RefusedError(
            f"{path}: it is not YAML{where}: {getattr(error, 'problem', None) or error}."
        ) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise RefusedError(f"{path}: write one `name: answer` per line.")
    return {name: answer for name, answer in loaded.items() if name not in ("_commit", "_src_path")}


def read_settings(
    settings: Iterable[str], questions: Mapping[str, Question], before: Mapping[str, Any]
) -> Answers:
    """Return the answers in texts like name=value, name+=value and name-=value.

    The last two add to and take from the answer `before` to a question that takes several.

    Raises:
        RefusedError: one line for each that cannot be read.
    """
    answers: Answers = {}
    problems = []
    for setting in settings:
        match = SETTING.match(setting)
        if not match:
            problems.append(f"--set {setting}: write it as name=value.")
            continue
        name, operator, text = match.groups()
        question = questions.get(name)
        if question is None:
            problems.append(unknown(name, questions))
            continue
        try:
            value = _value(question, text)
        except ValueError as error:
            problems.append(f"{name}: {text!r} is not {error}.")
            continue
        if operator != "=":
            if not question.several:
                problems.append(f"{name}: it takes one answer, so write {name}={text}.")
                continue
            value = _changed(answers.get(name, before.get(name) or []), operator, value)
        answers[name] = value
    if problems:
        raise RefusedError(*problems)
    return answers


def _changed(items: list[Any], operator: str, others: list[Any]) -> list[Any]:
    if operator == "-=":
        return [item for item in items if item not in others]
    return [*items, *(item for item in others if item not in items)]


def _value(question: Question, text: str) -> Any:
    if question.several:
        return [item.strip() for item in text.strip().strip("[]").split(",") if item.strip()]
    if question.type == "bool":
        if text.lower() not in YES_OR_NO:
            raise ValueError("true or false")
        return YES_OR_NO[text.lower()]
    if question.type == "int":
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise ValueError("a whole number")
        return int(text)
    if question.type == "float":
        try:
            return float(text)
        except ValueError:
            raise ValueError("a number") from None
    if question.type in ("yaml", "json"):
        return yaml.safe_load(text)
    return text


def unknown(name: str, questions: Mapping[str, Question]) -> str:
    """Return the line that says that there is no question of this name, and which one may be meant."""
    near = get_close_matches(name, [known for known in questions if not questions[known].computed], n=1)
    advice = f"did you mean {near[0]}?" if near else "leave it out."
    return f"{flat(name)}: there is no such question; {advice}"


def wrong_type(question: Question, answer: Any) -> str | None:
    """Return what is wrong with the type of an answer, or None when it is right."""
    shown = flat(repr(answer))[:60]
    if question.several:
        good = isinstance(answer, list) and all(isinstance(item, str) for item in answer)
        return None if good else f"{question.name}: {shown} is not a list of names; write [one, another]."
    if question.type not in TYPES:
        return None
    classes, words = TYPES[question.type]
    # In Python, true and false are whole numbers too.
    right = isinstance(answer, classes) and (question.type == "bool" or not isinstance(answer, bool))
    return None if right else f"{question.name}: {shown} is not {words}."

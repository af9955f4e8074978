"""YAML whose every value knows its file and line, and the merge that the Databricks CLI does with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

# Lists whose items are joined by a key rather than put one after the other. Read in the CLI's public source
# (libs/dyn/merge/merge.go and bundle/config/mutator/resourcemutator/), never run: lists are put one after the
# other, then tasks and job clusters are joined by these keys. Grants of one principal are joined too, and job
# parameters by name; a principal that is listed twice is refused here, and no job has parameters.
_KEYED = ("task_key", "job_cluster_key")
# The one in C is several times as fast, and is not in every build of PyYAML.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Node:
    """A value of a YAML file: names with nodes, a list of nodes, or a plain value; and where it stands."""

    value: Any
    where: str

    def __getitem__(self, key: Any) -> Node:
        found: Node = self.value[key]
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the node under a name, or the default where there is none."""
        return self.value[key] if key in self else default

    def leaves(self) -> Iterator[Node]:
        """Yield every plain value below, or the node itself if it is one."""
        if isinstance(self.value, dict):
            for child in self.value.values():
                yield from child.leaves()
        elif isinstance(self.value, list):
            for child in self.value:
                yield from child.leaves()
        else:
            yield self

    def items(self) -> list[Node]:
        """Return the nodes of a list, none if this is no list."""
        return self.value if isinstance(self.value, list) else []


def load(path: Path, name: str) -> Node:
    """Return a YAML file under a name for its places.

    Raises:
        ValueError: a key is there twice, of which YAML would silently take the last.
    """
    return _loaded(path.read_text(encoding="utf-8"), name)


@lru_cache(maxsize=512)
def _loaded(text: str, name: str) -> Node:
    # Most files of one project are those of another: read once, as nothing changes a node.
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise ValueError(f"{name}:1: the file is empty")
        return _node(loader, root, name, f"{name}:1")
    finally:
        loader.dispose()


def merged(base: Node, extra: Node) -> Node:
    """Return both: names joined, tasks and clusters joined by key, other lists one after the other."""
    if isinstance(base.value, dict) and isinstance(extra.value, dict):
        together = dict(base.value)
        for key, node in extra.value.items():
            together[key] = merged(base[key], node) if key in base else node
        return Node(together, base.where)
    if isinstance(base.value, list) and isinstance(extra.value, list):
        items = list(base.value)
        for node in extra.value:
            at = next((index for index, item in enumerate(items) if _same_key(item, node)), None)
            if at is None:
                items.append(node)
            else:
                items[at] = merged(items[at], node)
        return Node(items, base.where)
    return extra


def plain(node: Node) -> Any:
    """Return the values without their places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def _same_key(one: Node, other: Node) -> bool:
    return any(key in one and key in other and one[key].value == other[key].value for key in _KEYED)


def _node(loader: Any, node: yaml.Node, name: str, where: str) -> Node:
    if isinstance(node, yaml.MappingNode):
        children: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key, place = key_node.value, f"{name}:{key_node.start_mark.line + 1}"
            if key in children:
                raise ValueError(f"{place}: {key} is there twice")
            children[key] = _node(loader, value_node, name, place)
        return Node(children, where)
    if isinstance(node, yaml.SequenceNode):
        places = [f"{name}:{item.start_mark.line + 1}" for item in node.value]
        return Node(
            [_node(loader, item, name, at) for item, at in zip(node.value, places, strict=True)], where
        )
    return Node(loader.construct_object(node, deep=True), where)

"""Call graphs of code without a command: every function of some files is an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser
from taskgates.inference.open_calls import EntryNotFoundError
from taskgates.tree.tree import Tree
from unit.inference.reality import write_tree

if TYPE_CHECKING:
    from pathlib import Path


def library(root: Path, source: str, *places: str) -> dict[str, list[str]]:
    """The graph of every function of some files of a tree."""
    write_tree(root, source)
    return Analyser(Tree(root)).library_calls(places or (".",)).callees


def test_every_function_of_a_library_is_an_entry(tmp_path: Path) -> None:
    found = library(
        tmp_path,
        """
--- shop/__init__.py
--- shop/cart.py
import functools
from shop.items import Item
def traced(func):
    @functools.wraps(func)
    def inner(*args):
        return func(*args)
    return inner
class Cart:
    def __init__(self, limit=3):
        self.items = []
        self.rule = self.strict
    @traced
    def add(self, name, price):
        self.items.append(Item(name, price))
        return self.rule(price)
    def strict(self, price):
        return self._check(price)
    def _check(self, price):
        return price
    def total(self):
        return sum(item.cost() for item in self.items)
class Big(Cart):
    def _check(self, price):
        return large(price)
def large(price):
    return price
def report(cart: Cart, other):
    other.cost()
    return cart.total()
if __name__ == "__main__":
    report(Cart(), None)
--- shop/items.py
class Item:
    def __init__(self, name, price):
        self.price = price
    def cost(self):
        return self.price
""",
    )
    assert "shop.items.Item.cost" in found["shop.cart.Cart.total"]
    assert "shop.items.Item.__init__" in found["shop.cart.Cart.add"]
    assert "shop.cart.Cart.strict" in found["shop.cart.Cart.add"]
    # An object of a derived class is one of the base class too.
    assert set(found["shop.cart.Cart.strict"]) == {"shop.cart.Cart._check", "shop.cart.Big._check"}
    # The annotation names the class of one argument; the other is known by its method only.
    assert set(found["shop.cart.report"]) == {"shop.cart.Cart.total", "shop.items.Item.cost"}
    assert {"shop.cart.report", "shop.cart.Cart.__init__"} <= set(found["shop.cart"])


def test_one_function_or_class_is_an_entry(tmp_path: Path) -> None:
    source = """
--- tools/low.py
def one():
    return two()
def two():
    return 2
class Kind:
    def start(self):
        return one()
"""
    assert library(tmp_path, source, "tools/low.py:Kind") == {
        "tools.low.Kind.start": ["tools.low.one"],
        "tools.low.one": ["tools.low.two"],
    }
    assert list(library(tmp_path, source, "tools/low.py:one")) == ["tools.low.one"]
    with pytest.raises(EntryNotFoundError, match="no such function or class"):
        library(tmp_path, source, "tools/low.py:three")
    with pytest.raises(EntryNotFoundError, match="no Python file"):
        library(tmp_path, source, "elsewhere")

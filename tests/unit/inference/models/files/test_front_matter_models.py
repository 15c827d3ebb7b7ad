"""python-frontmatter: what the heads of documents in the tree say decides what a program does with them."""

# ruff: noqa: ISC004 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, rows, write_tree

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = """
--- posts/one.md
---
slug: first
tags: [a, b]
draft: false
---
Text.
--- posts/two.md
+++
slug = "second"
+++
Text.
--- posts/bare.md
Only text.
"""
PROGRAMS = {
    "items": (
        "for name in ('one', 'two'):\n"
        "    post = frontmatter.load(f'posts/{name}.md')\n"
        "    open(post['slug'] + '.html', 'w').write(post.content)\n",
        {"read posts/one.md", "read posts/two.md", "overwrite first.html", "overwrite second.html"},
    ),
    "defaults and membership": (
        "post = frontmatter.load('posts/bare.md', slug='given')\n"
        "open(post.get('slug') + ('-draft' if 'draft' in post else ''), 'w')\n",
        {"read posts/bare.md", "overwrite given"},
    ),
    "open files and metadata": (
        "with open('posts/one.md') as source:\n"
        "    for tag in frontmatter.load(source).metadata['tags']: open(tag, 'w')\n",
        {"read posts/one.md", "overwrite a", "overwrite b"},
    ),
    "texts": (
        "metadata, content = frontmatter.parse('---\\nname: n\\n---\\nbody')\nopen(metadata['name'] + content, 'w')\n",
        {"overwrite nbody"},
    ),
    "written back": (
        "post = frontmatter.load('posts/one.md')\npost['slug'] = 'new'\nfrontmatter.dump(post, post['slug'] + '.md')\n",
        {"read posts/one.md", "overwrite new.md"},
    ),
    "whether there is a head": (
        "for name in ('one', 'bare'):\n    if frontmatter.check(f'posts/{name}.md'): open(name, 'w')\n",
        {"read posts/one.md", "read posts/bare.md", "overwrite one"},
    ),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_heads_of_documents_are_known(name: str, tmp_path: Path) -> None:
    code, expected = PROGRAMS[name]
    write_tree(tmp_path, f"import frontmatter\n{code}{DOCUMENTS}")
    found = analyse(tmp_path)
    assert [str(opaque.reason) for opaque in found.opaque] == []
    assert rows(found) == expected

"Every module imports alone, and none imports one that imports it"
import ast, subprocess, sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "agent_distill").rglob("*.py"))


def name_of(path): return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(p): p for p in FILES if p.name != "_modidx.py"}


def full_name(node, module, path):
    "What an import statement names, spelled from the package's top"
    if isinstance(node, ast.Import): return [a.name for a in node.names]
    home = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    base = home[:len(home) - node.level + 1] if node.level else []
    base = ".".join(base + ([node.module] if node.module else []))
    return [f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names]


def imported(module, inside):
    "The package's modules that a module imports: at its top, or inside functions as well"
    path, found = MODULES[module], set()
    todo = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)): found.update(full_name(node, module, path))
        if inside or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)): todo += ast.iter_child_nodes(node)
    return found & set(MODULES) - {module, "agent_distill"}   # the package itself says only its version


def circle(graph):
    "The modules that a search along imports meets again; none: []"
    left = dict(graph)
    while leaves := [m for m, needs in left.items() if not needs & set(left)]:
        for m in leaves: del left[m]
    return sorted(left)   # what leads into a circle, or is one


def test_the_search_finds_circles():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"a"}, "c": set()}) == ["a", "b"]
    assert "agent_distill.engines" in imported("agent_distill.servers", False)
    assert "agent_distill.servers" in imported("agent_distill.cli", True) - imported("agent_distill.cli", False)


@pytest.mark.parametrize("inside", [False, True], ids=["at the top", "inside functions too"])
def test_no_module_imports_itself_by_a_detour(inside):
    assert circle({m: imported(m, inside) for m in MODULES}) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_module_imports_in_a_fresh_interpreter(module):
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-800:]


def test_the_lab_needs_none_of_the_chapters_that_read_it():
    "Its world and its corpus are plain data"
    for m in "world", "corpus":
        assert {n for n in imported(f"agent_distill.lab.{m}", True) if not n.startswith("agent_distill.lab")} == set()

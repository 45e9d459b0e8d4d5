#!/usr/bin/env python3
"""Type stubs of the modules, for mypy, pyright and editors, which cannot see what `@patch` adds to a class.

    python .ci/stubs.py           write agent_distill/**/*.pyi
    python .ci/stubs.py --check   exit 1 if they are not what the modules give

A stub holds the public names of its module, with every patched method in its class. What is not annotated, or
belongs to a package that may not be installed, is `Any`. Docstrings end with the comments of the parameters, which
editors show that way.
"""
import ast
import builtins
import importlib
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# made from {} by .ci/stubs.py: edit the notebook\n"
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
BARE = dict(list="list[Any]", dict="dict[Any, Any]", tuple="tuple[Any, ...]", set="set[Any]", type="type[Any]",
            Future="Future[Any]", Counter="Counter[Any]", Callable="Callable[..., Any]", Iterator="Iterator[Any]",
            OrderedDict="OrderedDict[Any, Any]", deque="deque[Any]", count="count[Any]")

BY_HAND = {"tool": """
@overload
def tool(fn: Callable[..., Any], read_only: bool=True) -> Tool: ...
@overload
def tool(fn: None=None, read_only: bool=True) -> Callable[[Callable[..., Any]], Tool]: ...
"""}   # functions that give one thing or another

def expression(text): return ast.parse(text, mode="eval").body
def public(name): return not name.startswith("_") or re.fullmatch(r"__\w+__|_repr_\w+_", name)
def optional(kind): return kind if re.search("None|^Any$", ast.unparse(kind)) else expression(f"{ast.unparse(kind)} | None")
def is_patched(f): return any("patch" in ast.unparse(d).split("(")[0] for d in f.decorator_list)


class Whole(ast.NodeTransformer):
    "An annotation with its parameters; names that `known` does not hold become `Any`"
    def __init__(self, known): self.known = known

    def visit_Subscript(self, node):
        if isinstance(node.value, ast.Name) and node.value.id not in self.known: return expression("Any")
        if ast.unparse(node.value).endswith("Literal"): return node
        node.slice = self.visit(node.slice)
        return node

    def visit_Attribute(self, node):
        text = ast.unparse(node)
        if text == "subprocess.Popen": return expression("subprocess.Popen[bytes]")
        return node if text.split(".")[0] in self.known else expression("Any")

    def visit_Constant(self, node): return self.visit(expression(node.value)) if isinstance(node.value, str) else node

    def visit_Name(self, node):
        if node.id == "object" or node.id not in self.known: return expression("Any")
        return expression(BARE[node.id]) if node.id in BARE else node


def own(function):
    "The nodes of a function's body without those of inner functions"
    todo = list(function.body)
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)): todo = [*ast.iter_child_nodes(node), *todo]


def value_type(value, names):
    "The type of a constant, as an annotation"
    if value is None: return "Any"
    kind = type(value)
    if kind in (str, int, float, bool, bytes): return kind.__name__
    if kind is re.Pattern: return "re.Pattern[str]" if "re" in names else "Any"
    if kind in (list, set, frozenset, tuple, dict):
        parts = [value.keys(), value.values()] if kind is dict else [value]
        inner = [{value_type(v, names) for v in part} for part in parts]
        inner = [i.pop() if len(i) == 1 else "Any" for i in inner]
        return f"{kind.__name__}[{', '.join(inner)}{', ...' if kind is tuple else ''}]"
    return kind.__name__ if names.get(kind.__name__) is kind else "Any"


class Module:
    "One module: its names, its classes and what it patches into them"
    def __init__(self, path):
        self.path, text = path, path.read_text(encoding="utf-8")
        self.lines, self.tree = text.splitlines(), ast.parse(text)
        self.name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        self.names = vars(importlib.import_module(self.name))
        self.imports, self.ours, self.more = {}, {}, {}   # name -> statement; of the package; added later
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)): self.read_import(node)
        here = {n.name for n in self.tree.body if isinstance(n, ast.ClassDef)}
        self.known = {*dir(builtins), "Any", *here, *self.imports, *self.ours}

    def read_import(self, node):
        "Those of the standard library and of the package"
        module = getattr(node, "module", None)
        for a in node.names:
            name, top = a.asname or a.name.split(".")[0], (module or a.name).split(".")[0]
            if getattr(node, "level", 0) or module and top == "agent_distill":
                self.ours[name] = f"from {'.' * node.level}{module or ''} import {a.name} as {name}"
            elif top in sys.stdlib_module_names:
                self.imports[name] = f"from {module} import {a.name}" if module else f"import {a.name}"
                if a.asname: self.imports[name] += f" as {a.asname}"

    def comment(self, node): return self.lines[node.lineno - 1].partition("  #")[2].strip()

    def explained(self, doc, named, end=None):
        "A docstring with the comments of parameters or fields, each on a line of its own, and of what is returned"
        alone = Counter(n.lineno for _, n in named)
        said = {k: self.comment(n) for k, n in named if alone[n.lineno] == 1}
        if end: said["returns"] = self.lines[end - 1].partition("  #")[2].strip()
        return "\n\n".join(filter(None, [doc, "\n".join(f"- {k}: {c}" for k, c in said.items() if c)]))

    def annotation(self, node): return Whole(self.known).visit(expression(ast.unparse(node)))

    def taken(self, kind, path):
        "What a function takes where it is annotated with `kind`: any sequence for a list, a path for a file's name"
        text = ast.unparse(kind)
        if path and text in ("str", "str | None"):
            self.more["os"] = "import os"
            return expression(text.replace("str", "str | os.PathLike[str]", 1))
        found = re.fullmatch(r"(?:list\[(.*)\]|tuple\[(.*), \.\.\.\])( \| None)?", text)
        if not found: return kind
        self.more["collections"] = "import collections.abc"
        return expression(f"collections.abc.Sequence[{found[1] or found[2]}]{found[3] or ''}")

    def argument(self, arg, default, path):
        "An argument with its type, given or that of its default"
        plain = isinstance(default, ast.Constant) and type(default.value) in (bool, float, str)
        arg.annotation = (self.annotation(arg.annotation) if arg.annotation else
                          expression(type(default.value).__name__ if plain else "Any"))
        if isinstance(default, ast.Constant) and default.value is None and ast.unparse(arg.annotation) != "Any":
            arg.annotation = optional(arg.annotation)
        arg.annotation = self.taken(arg.annotation, path)

    def returns(self, f, owner):
        "What a function gives, as far as it can be seen"
        if f.returns: return self.annotation(f.returns)
        nodes = list(own(f))
        if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in nodes):
            self.more["collections"] = "import collections.abc"
            return expression("collections.abc.Iterator[Any]")
        found = {ast.unparse(n.value) for n in nodes if isinstance(n, ast.Return) and n.value}
        if not found and ast.unparse(f.body[-1]) != "...": return expression("None")
        return expression(owner if found == {"self"} else "Any")

    def function(self, f, owner=""):
        "A function without its body"
        paths = {a.arg for a in f.args.args + f.args.kwonlyargs
                 if re.search(r"folder|\bfile|path|_dir\b", f"{self.comment(a)} {a.arg}")}
        named = [(a.arg, a) for a in f.args.posonlyargs + f.args.args + f.args.kwonlyargs if a.lineno > f.lineno]
        more = [(a.arg, a) for a in (f.args.vararg, f.args.kwarg) if a and a.lineno > f.lineno]
        end = next((k for k in range(f.lineno, f.body[0].lineno + 1) if self.lines[k - 1].startswith(" " * f.col_offset + ")")), None)
        doc = self.explained(ast.get_docstring(f), named + more, end)
        f = ast.parse(ast.unparse(f)).body[0]
        a, how = f.args, " ".join(ast.unparse(d) for d in f.decorator_list)
        f.returns = self.returns(f, owner)
        positional = a.posonlyargs + a.args
        pairs = [*zip(reversed(positional), reversed(a.defaults)), *zip(a.kwonlyargs, a.kw_defaults)]
        defaults = {id(arg): d for arg, d in pairs}
        bound = bool(owner) and "staticmethod" not in how
        for arg in (positional + a.kwonlyargs)[bound:]: self.argument(arg, defaults.get(id(arg)), arg.arg in paths)
        if bound: positional[0].annotation = None
        for arg in filter(None, (a.vararg, a.kwarg)):
            arg.annotation = self.annotation(arg.annotation) if arg.annotation else expression("Any")
        a.defaults = [d if isinstance(d, ast.Constant) else expression("...") for d in a.defaults]
        a.kw_defaults = [d if d is None or isinstance(d, ast.Constant) else expression("...") for d in a.kw_defaults]
        extra = ["property"] * ("as_prop" in how) + ["classmethod"] * ("cls_method" in how)
        kept = [d for d in f.decorator_list if ast.unparse(d).split("(")[0].split(".")[0] in self.known]
        f.decorator_list = [expression(e) for e in extra] + [d for d in kept if "patch" not in ast.unparse(d)]
        f.body = ([ast.Expr(ast.Constant(doc))] if doc else []) + [ast.Expr(expression("..."))]
        return f

    def assigned(self, functions):
        "Attribute -> type, of what methods assign to `self`"
        found = defaultdict(set)
        made = {f"self.{f.name}": ast.unparse(self.annotation(f.returns)) for f in functions
                if f.returns and isinstance(f, ast.FunctionDef)}
        for f in functions:
            given = made | {a.arg: ast.unparse(a.annotation) for a in self.function(f, "self").args.args if a.annotation}
            for node in own(f):
                for target in node.targets if isinstance(node, ast.Assign) else ():
                    many = isinstance(target, ast.Tuple)
                    values = node.value.elts if many and isinstance(node.value, ast.Tuple) else [node.value]
                    targets = target.elts if many else [target]
                    if len(values) != len(targets): values = [None] * len(targets)
                    for t, v in zip(targets, values):
                        if isinstance(t, ast.Attribute) and ast.unparse(t.value) == "self" and public(t.attr):
                            found[t.attr].add(self.guess(v, given))
        return {k: t.pop() if len(t) == 1 else "Any" for k, t in found.items()}

    def guess(self, value, given):
        "The type of what is assigned"
        if isinstance(value, ast.Name): return given.get(value.id, "Any")
        if isinstance(value, ast.Constant) and value.value is not None: return type(value.value).__name__
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            return given.get(ast.unparse(value.func), "Any")
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            name = value.func.id
            if public(name) and name in self.known and isinstance(self.names.get(name), type): return BARE.get(name, name)
        return "Any"

    def class_(self, c, patched):
        "A class with its fields, its attributes, its methods and what was patched into it"
        methods = [n for n in c.body if isinstance(n, FUNCTIONS)]
        body = []
        for n in c.body:
            if isinstance(n, ast.AnnAssign):
                kind = self.annotation(n.annotation)
                if isinstance(n.value, ast.Constant) and n.value.value is None: kind = optional(kind)
                body.append(ast.AnnAssign(n.target, kind, n.value and expression("..."), 1))
            elif isinstance(n, ast.Assign):
                targets = [e for t in n.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
                body += [ast.AnnAssign(t, expression(value_type(getattr(self.names[c.name], t.id), self.names)), None, 1)
                         for t in targets if public(t.id)]
        seen = {b.target.id for b in body} | {f.name for f in methods + patched}
        kinds = self.assigned(methods + [f for f in patched if f.home is self])
        body += [ast.AnnAssign(ast.Name(k), expression(t), None, 1) for k, t in kinds.items() if k not in seen]
        body += [f.home.function(f, c.name) if hasattr(f, "home") else self.function(f, c.name)
                 for f in methods + patched if public(f.name)]
        doc = self.explained(ast.get_docstring(c), [(n.target.id, n) for n in c.body if isinstance(n, ast.AnnAssign)])
        c.bases = [b for b in c.bases if ast.unparse(b).split(".")[0] in self.known]
        c.bases = [expression("dict[Any, Any]") if ast.unparse(b) == "dict" else b for b in c.bases]
        if "Protocol" in map(ast.unparse, c.bases): body = [self.lenient(b) for b in body]
        c.body = ([ast.Expr(ast.Constant(doc))] if doc else []) + body or [ast.Expr(expression("..."))]
        return c

    def lenient(self, f):
        "A method of a protocol: who fulfils it may leave out arguments with defaults"
        a = f.args
        del a.args[len(a.args) - len(a.defaults):], a.defaults[:]
        a.vararg, a.kwarg = ast.arg("args", expression("Any")), ast.arg("kwargs", expression("Any"))
        return f

    def patches(self):
        "(class, function) of each `@patch`"
        for f in self.tree.body:
            if isinstance(f, FUNCTIONS) and is_patched(f):
                f.home = self
                yield self.names[ast.unparse(f.args.args[0].annotation)], f

    def constants(self):
        "Public names that are neither functions nor classes"
        for n in self.tree.body:
            for t in n.targets if isinstance(n, ast.Assign) else ():
                for e in t.elts if isinstance(t, ast.Tuple) else [t]:
                    if e.id == "__all__": yield ast.Assign([ast.Name("__all__")], n.value, lineno=1)
                    elif public(e.id) and isinstance(n.value, ast.Name) and callable(self.names[e.id]): yield n   # another name
                    elif public(e.id): yield ast.AnnAssign(e, expression(value_type(self.names[e.id], self.names)), None, 1)

    def is_shown(self, c):
        "A public class, or one that others are made of"
        return public(c.name) or any(c.name in map(ast.unparse, n.bases) for n in self.tree.body if isinstance(n, ast.ClassDef))

    def text(self, patched):
        "The stub; `patched`: class -> functions from anywhere"
        body = [*self.constants()]
        for n in self.tree.body:
            if isinstance(n, ast.ClassDef) and self.is_shown(n):
                added = patched[self.names[n.name]]
                body.append(self.class_(n, added))
                for name in sorted({w for f in added if f.home is not self for w in re.findall(r"\w+", ast.unparse(f.args))}):
                    source = next(f.home for f in added if f.home is not self)
                    if name in source.known - self.known: self.ours[name] = f"from .{source.path.stem} import {name} as {name}"
            elif getattr(n, "name", None) in BY_HAND:
                self.imports |= {k: f"from typing import {k}" for k in ("Callable", "overload")}
                body += ast.parse(BY_HAND[n.name]).body
            elif isinstance(n, FUNCTIONS) and not is_patched(n) and public(n.name): body.append(self.function(n))
        text = "\n\n".join(ast.unparse(ast.fix_missing_locations(n)) for n in body)
        used = set(re.findall(r"\b[A-Za-z_]\w*", text))
        lines = ["from typing import Any", *self.more.values(), *(v for k, v in self.imports.items() if k in used)]
        lines += [v for k, v in self.ours.items() if public(k) or k in used]
        doc = ast.get_docstring(self.tree)
        return HEAD.format(self.path.name) + (f'"""{doc}"""\n' if doc else "") + "\n".join(dict.fromkeys(lines)) + "\n\n" + text + "\n"


def stubs():
    "path -> text of every stub"
    paths = [p for p in sorted((ROOT / "agent_distill").rglob("*.py")) if p.name != "_modidx.py"]
    modules, patched = [Module(p) for p in paths], defaultdict(list)
    for m in modules:
        for owner, f in m.patches(): patched[owner].append(f)
    return {m.path.with_suffix(".pyi"): m.text(patched) for m in modules}


def main():
    sys.path.insert(0, str(ROOT))
    wanted = stubs()
    here = {p: p.read_text(encoding="utf-8") for p in (ROOT / "agent_distill").rglob("*.pyi")}
    if "--check" not in sys.argv:
        for p in here.keys() - wanted.keys(): p.unlink()
        for p, text in wanted.items(): p.write_text(text, encoding="utf-8")
    elif here != wanted:
        wrong = sorted(p.name for p in here.keys() | wanted.keys() if here.get(p) != wanted.get(p))
        sys.exit(f"stubs are not what the modules give: {', '.join(wrong)}: run python .ci/stubs.py")


if __name__ == "__main__": main()

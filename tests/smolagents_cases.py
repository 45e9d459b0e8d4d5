"""smolagents' own cases for `evaluate_python_code`, run by our sandbox: a pytest plugin for their file.

Stands in for the modules that their file imports, so smolagents itself is not needed. Their interpreter
returns the value of the last assignment too and leaves variables in a dict: `translated` and `evaluate`
bring these two over. Values come back as text and are read with `ast.literal_eval`."""
import ast, builtins, sys, types

from agent_distill.sandbox import STANDARD_IMPORTS, Limits, Sandbox

class InterpreterError(ValueError): "What their interpreter raises for any mistake"
class Printed(str): value = property(str)

class LastValue(ast.NodeTransformer):
    "Keep the value of the last expression or assignment of each block in `_last`"
    def block(self, body):
        if not body: return body
        last = body[-1]
        if isinstance(last, ast.Expr): body[-1] = ast.Assign([ast.Name("_last", ast.Store())], last.value)
        elif isinstance(last, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and getattr(last, "value", 1) is not None:
            target = last.targets[-1] if isinstance(last, ast.Assign) else last.target
            value = ast.parse(ast.unparse(target), mode="eval").body
            body.append(ast.Assign([ast.Name("_last", ast.Store())], value))
        elif isinstance(last, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
            for name in ("body", "orelse"): setattr(last, name, self.block(getattr(last, name, [])))
            for o in getattr(last, "handlers", []): o.body = self.block(o.body)
        return body

def translated(code):
    "The code with its last value in `_last`; code that does not parse as it is"
    try: tree = ast.parse(code)
    except SyntaxError: return code
    tree.body = LastValue().block(tree.body)
    return "_last = None\n" + ast.unparse(ast.fix_missing_locations(tree)) if tree.body else code

def read(text):
    try: return ast.literal_eval(text)
    except (ValueError, SyntaxError): return text

boxes, current = {}, {}

def box_for(tools):
    "A sandbox for tools of these names; what a name does may change from case to case"
    def stand_in(name):
        def tool(*args, **kwargs): return current[name](*args, **kwargs)
        tool.__name__ = name
        return tool
    current.update(tools)
    names = tuple(sorted(tools))
    if names not in boxes:
        boxes[names] = Sandbox([stand_in(n) for n in names], STANDARD_IMPORTS, Limits(cpu_s=5, tool_calls=1000))
    return boxes[names]

COLLECT = "{k: repr(v) for k, v in list(globals().items()) if k[:2] != '__' and k not in %r and type(v).__name__ not in" \
          " ('module', 'function', 'type')}"

def evaluate(code, static_tools=None, custom_tools=None, state=None, *args, **kwargs):
    "Their `evaluate_python_code`, by our sandbox: (value, is it final)"
    given = {**(static_tools or {}), **(custom_tools or {})}
    tools = {k: f for k, f in given.items() if not hasattr(builtins, k) and k != "final_answer"}
    state = {} if state is None else state
    with box_for(tools).session() as s:
        for k, v in state.items():
            if k.isidentifier() and not k.startswith("_"): s.run(f"{k} = {v!r}")
        o = s.run(translated(code))
        state["_print_outputs"] = Printed(o.logs)
        if o.is_final: return o.answer, True
        if o.status != "ok": raise InterpreterError(o.error)
        found = read(s.run(COLLECT % (["final_answer", *tools],)).value)
    last = found.pop("_last", "None")
    state.update({k: read(v) for k, v in found.items()})
    return read(last), False

def pytest_configure(config):
    class Missing:
        "A part of smolagents that these cases do not need"
        def __init__(self, *a, **k): raise NotImplementedError("not part of the adapter")
    known = dict(evaluate_python_code=evaluate, InterpreterError=InterpreterError, DANGEROUS_FUNCTIONS=[],
                 DANGEROUS_MODULES=[], BASE_PYTHON_TOOLS={k: getattr(builtins, k) for k in dir(builtins)
                                                          if callable(getattr(builtins, k)) and k[0] != "_"})
    for name in ("smolagents", "smolagents.default_tools", "smolagents.local_python_executor"):
        module = sys.modules[name] = types.ModuleType(name)
        module.__getattr__ = lambda k: known[k] if k in known else Missing

def pytest_collection_modifyitems(items):
    def same(self, a, b):
        "Their count of operations has no counterpart"
        drop = ("_print_outputs", "_operations_count")
        assert {k: v for k, v in a.items() if k not in drop} == {k: v for k, v in b.items() if k not in drop}
    for o in items:
        if o.cls: o.cls.assertDictEqualNoPrint = same

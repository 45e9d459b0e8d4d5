"""Payloads against the strict sandbox. Each asserts *no effect*: nothing written, nothing read, nobody
called, nobody started or signalled. Error texts do not matter. Without all walls nothing here runs."""
import os, platform, re, signal, socket, subprocess, sys
from pathlib import Path

import pytest

from conftest import children
from agent_distill.profile import AgentDistillError
from agent_distill.sandbox import STANDARD_IMPORTS, Limits, Sandbox
from agent_distill.sandbox.worker import FILES, MACHINES, SYSCALLS, seccomp_lacks

pytestmark = pytest.mark.skipif(bool(seccomp_lacks()), reason=f"no walls here: {seccomp_lacks()}")
TOKEN = "t0ken-that-must-stay"

class World:
    "What a payload may try to touch: a secret, a folder to write to, a port, this process"
    def __init__(self, folder):
        self.folder, self.signals, self.server = folder, 0, socket.create_server(("127.0.0.1", 0))
        (folder / "secret").write_text(TOKEN)
        self.server.setblocking(False)
        self.names = dict(SECRET=str(folder / "secret"), OUT=str(folder / "out"), HOST=os.getpid(),
                          PORT=self.server.getsockname()[1])
        signal.signal(signal.SIGURG, self.on_signal)

    def on_signal(self, *_): self.signals += 1

    def untouched(self):
        "Assert that nothing has happened"
        assert os.listdir(self.folder) == ["secret"] and (self.folder / "secret").read_text() == TOKEN
        assert self.signals == 0, "a signal arrived"
        with pytest.raises(BlockingIOError): self.server.accept()

PRELUDE = """
g = next(c for c in object.__subclasses__() if c.__name__ == "_wrap_close").__init__.__globals__
sys = g["sys"]; M = sys.modules; os, ctypes = M["os"], M["ctypes"]
C = ctypes.PyDLL(None, use_errno=True); C.syscall.restype = ctypes.c_long
"""
HARM = """
def attempt(f):
    try: print(f())
    except BaseException as e: print(type(e).__name__)
def harm(os):
    attempt(lambda: os.close(os.open(OUT, os.O_CREAT | os.O_WRONLY)))
    attempt(lambda: os.read(os.open(SECRET, os.O_RDONLY), 99))
    attempt(lambda: os.system("touch " + OUT + "; cat " + SECRET))
    attempt(lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "touch " + OUT], {}))
    attempt(lambda: os.kill(HOST, 23))
    attempt(lambda: os.listdir("/etc") and print("ESCAPED"))
"""

@pytest.fixture(scope="module")
def sandbox():
    "Strict: it refuses to start, and the payloads do not run, where a wall is missing"
    with Sandbox(imports=STANDARD_IMPORTS, limits=Limits(cpu_s=1, memory_mb=256)) as s:
        assert s.check() == []
        yield s

@pytest.fixture(scope="module")
def sealed():
    "The fallback for kernels without Landlock: no file can be opened"
    with Sandbox(limits=Limits(cpu_s=2, memory_mb=256), without=[FILES]) as s: yield s

@pytest.fixture
def world(tmp_path):
    old = signal.getsignal(signal.SIGURG)
    w = World(tmp_path)
    yield w
    w.server.close(); signal.signal(signal.SIGURG, old)

def strike(sandbox, world, *steps):
    "Run the first step as a candidate, then all in one session; nothing has happened, and what came of them"
    code = "".join(f"{k} = {v!r}\n" for k, v in world.names.items())
    with sandbox.session() as s:
        s.run(code)
        outcomes = [*s.try_all(steps[:1]), *map(s.run, steps)]
        said = " ".join(f"{o.logs} {o.value} {o.answer} {o.error}" for o in outcomes)
        assert s.run("1 + 1").value == "2", "the session lives"
        known = {n.pid for n in sandbox.hub.nodes}
        assert set(children(sandbox.hub.process.pid)) <= known, "a process that nobody knows"
    world.untouched()
    assert TOKEN not in said and "ESCAPED" not in said
    return outcomes[1:]

# --- ways to the operating system that lead around the import list, each followed by real harm

ROUTES = {
    "subclasses to os": "o = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0]"
                        ".__init__.__globals__['sys'].modules['os']",
    "subclasses to Popen": "[c for c in object.__subclasses__() if c.__name__ == 'Popen'][0](['touch', OUT])\no = None",
    "BuiltinImporter": "o = [c for c in object.__subclasses__() if c.__name__ == 'BuiltinImporter'][0]"
                       ".load_module('posix')",
    "BuiltinImporter os": "[c for c in object.__subclasses__() if c.__name__ == 'BuiltinImporter'][0].load_module('os')",
    "catch_warnings": "w = [c for c in object.__subclasses__() if c.__name__ == 'catch_warnings'][0]()\n"
                      "o = w._module.__builtins__['__import__']('os')",
    "random._os": "import random\no = random._os",
    "queue.threading": "import queue\no = queue.threading._sys.modules['os']",
    "statistics": "import statistics\no = statistics.sys.modules['os'] if hasattr(statistics, 'sys') else "
                  "statistics.random._os",
    "doctest": "import sympy.testing.runtests as r\no = r.os",
    "inspect": "import sympy.utilities.decorator as d\no = d.inspect.os",
    "asyncio": "import random\nrandom._os.sys.modules['builtins'].__import__('asyncio').base_events.subprocess.run("
               "['touch', OUT])\no = None",
    "map getattr": "import random\no = list(map(getattr, [random], ['_os']))[0]",
    "partial getattr": "import functools, random\no = functools.partial(getattr, random)('_os')",
    "reduce getattr": "import functools, random\no = functools.reduce(getattr, ['_os'], random)",
    "_getframe": "import random\no = random._os.sys._getframe().f_builtins['__import__'].__globals__['os']",
    "traceback": "try: 1 / 0\nexcept Exception as e: o = e.__traceback__.tb_frame.f_back.f_globals['os']",
    "generator frame": "def f(): yield h.gi_frame.f_back.f_back.f_globals['os']\nh = f()\no = next(h)",
    "coroutine frame": "async def f(): pass\nc = f()\no = c.cr_frame.f_builtins['__import__'].__globals__['os']; c.close()",
    "format": "import random\nprint('{0._os.environ} {0._os.sys.argv}'.format(random))\no = random._os",
    "format_map": "import random\nprint('{r._os.sys.modules[os].environ}'.format_map(dict(r=random)))\no = random._os",
    "string.Formatter": "import random\nF = random._os.sys.modules['string'].Formatter\n"
                        "o = F().get_field('0._os', [random], {})[0]",
    "attrgetter": "import random\no = random._os.sys.modules['operator'].attrgetter('_os')(random)",
    "AttributeError.obj": "import random\ntry: random._os.nothing\nexcept AttributeError as e: o = e.obj",
    "except*": "class E(ExceptionGroup):\n    def split(self, t): return (self, None)\n"
               "try: raise E('x', [ValueError(1)])\nexcept* ValueError as e: k = e.__traceback__\n"
               "o = k.tb_frame.f_back.f_globals['os']",
    "str subclass": "import random\nclass S(str):\n    def startswith(self, *a): return False\n"
                    "    def __eq__(self, o): return False\n    __hash__ = str.__hash__\no = getattr(random, S('_os'))",
    "object getattribute": "import random\no = object.__getattribute__(random, '_os')",
    "type getattribute": "f = type.__getattribute__(type(print), '__subclasses__')\n"
                         "o = __import__.__getattribute__('__globals__')['os']",
    "chr names": "import random\no = getattr(random, chr(95) + chr(111) + chr(115))",
    "type.__dict__": "s = type.__dict__['__subc' + 'lasses__'](object)\n"
                     "o = [c for c in s if c.__name__ == '_wrap_close'][0].__init__.__globals__['sys'].modules['os']",
    "importlib": "import random\no = random._os.sys.modules['importlib'].import_module('os')",
    "__import__ closure": "o = __import__.__globals__['os']",
    "builtins dict": "o = __builtins__['__import__'].__globals__['sys'].modules['posix']",
    "real import": "import random\no = random._os.sys.modules['builtins'].__import__('subprocess').os",
    "exec": "exec('import random; o = random._os')",
    "compile": "eval(compile('import random; o = random._os', '', 'exec'))",
    "lambda globals": "o = (lambda: 0).__globals__['__builtins__']['__import__'].__globals__['os']",
    "class hooks": "import random\nclass A:\n    def __init_subclass__(c): c.o = random._os\nclass B(A): pass\no = B.o",
    "metaclass": "import random\nclass T(type):\n    def __new__(m, *a): T.o = random._os; return type.__new__(m, *a)\n"
                 "class B(metaclass=T): pass\no = T.o",
    "decorator": "import random\n@lambda f: random._os\ndef o(): pass",
    "descriptor": "import random\nclass D:\n    def __get__(self, *a): return random._os\nclass B: o = D()\no = B().o",
    "node in memory": "import random\ngc = random._os.sys.modules['gc']\n"
                      "n = [x for x in gc.get_objects() if type(x).__name__ == 'Node'][0]\n"
                      "o = type(n).call.__globals__['os']",
    "sympify": "import sympy\ntry: sympy.sympify(f\"__import__('os').system('touch {OUT}')\")\nexcept Exception: pass\n"
               "o = None",
    "parse_expr": "from sympy.parsing.sympy_parser import parse_expr\n"
                  "try: parse_expr(f\"open('{OUT}', 'w')\")\nexcept Exception: pass\no = None",
    "lambdify": "import sympy\nx = sympy.Symbol('x')\n"
                "f = sympy.lambdify(x, f\"__import__('os').system('touch {OUT}')\")\nf(1)\no = None",
    "numpy sys": "import numpy\no = numpy.core.multiarray.os if hasattr(numpy.core.multiarray, 'os') else numpy.os",
    "numpy.ctypeslib": "import numpy\nnumpy.ctypeslib.ctypes.CDLL(None).system(b'touch ' + OUT.encode())\no = None",
    "numpy testing": "import numpy\nnumpy.testing.runstring(f\"open('{OUT}', 'w')\", {})\no = None",
}

@pytest.mark.parametrize("name", ROUTES)
def test_routes_lead_to_no_harm(sandbox, world, name):
    strike(sandbox, world, HARM, ROUTES[name], "harm(o)")

@pytest.mark.parametrize("name", ["random._os", "__import__ closure", "numpy.ctypeslib", "sympify"])
def test_routes_without_landlock(sealed, world, name):
    assert sealed.report[FILES] == "off: left out"
    strike(sealed, world, HARM, ROUTES[name], "harm(o)")

# --- files

FILE_PAYLOADS = {
    "np.load": "import numpy\nprint(numpy.load(SECRET, allow_pickle=True))",
    "np.fromfile": "import numpy\nprint(numpy.fromfile(SECRET, dtype='S1').tobytes())",
    "np.genfromtxt": "import numpy\nprint(numpy.genfromtxt(SECRET, dtype=str))",
    "np.loadtxt": "import numpy\nprint(numpy.loadtxt(SECRET, dtype=str))",
    "np.memmap": "import numpy\nprint(numpy.memmap(SECRET, dtype='S1', mode='r').tobytes())",
    "np.save": "import numpy\nnumpy.save(OUT, numpy.arange(3))",
    "tofile": "import numpy\nnumpy.arange(3).tofile(OUT)",
    "np.savetxt": "import numpy\nnumpy.savetxt(OUT, [1])",
    "open": "open(OUT, 'w').write('x')",
    "io.open": "M['io'].open(OUT, 'w').write('x')",
    "io.open to read": "print(M['io'].open(SECRET).read())",
    "FileIO": "print(M['_io'].FileIO(SECRET).read())",
    "mkdir": "os.mkdir(OUT)", "symlink": "os.symlink(SECRET, OUT)", "link": "os.link(SECRET, OUT)",
    "unlink": "os.unlink(SECRET)", "rename": "os.rename(SECRET, OUT)", "truncate": "os.truncate(SECRET, 0)",
    "chmod": "os.chmod(SECRET, 0)\nprint('ESCAPED')", "mkfifo": "os.mkfifo(OUT)",
    "utime": "os.utime(SECRET)\nprint('ESCAPED')", "xattr": "os.setxattr(SECRET, 'user.a', b'x')\nprint('ESCAPED')",
    "passwd": "print('ESCAPED', os.open('/etc/passwd', 0))",
    "listdir": "print('ESCAPED', os.listdir('/'))",
    "proc environ of the parent": "print('ESCAPED', os.open(f'/proc/{os.getppid()}/environ', 0))",
    "proc environ of the host": "print('ESCAPED', os.open(f'/proc/{HOST}/environ', 0))",
    "proc self mem": "print('ESCAPED', os.open('/proc/self/mem', os.O_RDWR))",
    "proc self fd": "print('ESCAPED', os.listdir('/proc/self/fd'))",
    "device": "print('ESCAPED', os.open('/dev/zero', 0))",
    "temporary file": "print('ESCAPED', os.open('/tmp', os.O_TMPFILE | os.O_RDWR))",
    "write a library": "print('ESCAPED', os.open(M['json'].__file__, os.O_RDWR))",
    "create in a library": "print('ESCAPED', os.open(M['json'].__path__[0] + '/x', os.O_CREAT | os.O_RDWR))",
    "library upwards": "print('ESCAPED', os.open(M['json'].__path__[0] + '/../../../../../../../etc/passwd', 0))",
    "chdir": "os.chdir('/tmp')\nprint('ESCAPED')", "chroot": "os.chroot('/tmp')\nprint('ESCAPED')",
}

@pytest.mark.parametrize("name", FILE_PAYLOADS)
def test_files_stay_shut(sandbox, world, name): strike(sandbox, world, PRELUDE, FILE_PAYLOADS[name])

@pytest.mark.parametrize("name", ["io.open to read", "np.fromfile", "passwd", "write a library"])
def test_files_stay_shut_without_landlock(sealed, world, name):
    strike(sealed, world, PRELUDE, FILE_PAYLOADS[name])

def test_even_libraries_stay_shut_when_sealed(sealed, world):
    strike(sealed, world, PRELUDE, "print('ESCAPED', os.open(M['json'].__file__, 0))")

# --- the network, processes, signals

PROCESS_PAYLOADS = {
    "socket": "M['_socket'].socket().connect(('127.0.0.1', PORT))",
    "socket fd": "s = M['socket'].create_connection(('127.0.0.1', PORT), 1)",
    "socketpair": "print('ESCAPED', M['_socket'].socketpair())",
    "unix socket": "print('ESCAPED', M['_socket'].socket(1, 1))",
    "urllib": "real = M['builtins'].__import__\nreal('urllib.request').request.urlopen(f'http://127.0.0.1:{PORT}', timeout=1)",
    "os.system": "os.system('touch ' + OUT)",
    "subprocess": "M['builtins'].__import__('subprocess').run(['touch', OUT])",
    "popen": "os.popen('touch ' + OUT).read()",
    "execv": "os.execv('/bin/touch', ['touch', OUT])",
    "posix_spawn": "os.posix_spawn('/bin/touch', ['touch', OUT], {})",
    "libc system": "C.system(b'touch ' + OUT.encode())",
    "pty": "M['builtins'].__import__('pty').spawn(['touch', OUT])",
    "multiprocessing": "mp = M['builtins'].__import__('multiprocessing')\nmp.get_context('fork').Process(target=print).start()\n"
                       "print('ESCAPED')",
    "fork bomb": "for _ in range(50):\n    try:\n        if os.fork() == 0: os._exit(0)\n        print('ESCAPED')\n"
                 "    except OSError: pass",
    "raw fork bomb": "for _ in range(50):\n    r = C.syscall(57)\n    if r == 0: os._exit(0)\n"
                     "    if r > 0: print('ESCAPED')",
    "raw clone like ours": "r = C.syscall(56, 0x8011, 0, 0, 0, 0)\nif r == 0: os._exit(0)\nif r > 0: print('ESCAPED')",
    "a branch of its own": "w = M.get('worker')\ntry:\n    if w.fork_sibling() == 0: os._exit(0)\n    print('ESCAPED')\n"
                           "except OSError: pass",
    "threads": "M['_thread'].start_new_thread(print, ('ESCAPED',))",
    "kill the host": "os.kill(HOST, 23)", "kill everybody": "os.kill(-1, 23)",
    "kill the group": "os.kill(0, 23)\nos.killpg(0, 23)\nprint('ESCAPED')",
    "stop itself": "os.kill(os.getpid(), 19)\nprint('ESCAPED')",
    "raise a signal": "M['_signal'].raise_signal(23)\nprint('ESCAPED')",
    "alarm": "M['_signal'].alarm(1)\nM['_signal'].setitimer(0, 1)\nC.syscall(37, 1) >= 0 and print('ESCAPED')",
    "setsid": "os.setsid()\nprint('ESCAPED')",
    "nice": "os.nice(-5)\nprint('ESCAPED')",
    "more memory for itself": "r = M['resource']\nr.setrlimit(r.RLIMIT_AS, (-1, -1))\nprint('ESCAPED')",
    "more time for itself": "r = M['resource']\nr.setrlimit(r.RLIMIT_CPU, (99, 99))\nprint('ESCAPED')",
    "limits of the host": "r = M['resource']\nr.prlimit(HOST, r.RLIMIT_NOFILE, (0, 0))\nprint('ESCAPED')",
    "executable memory": "C.mmap.restype = ctypes.c_long\nif C.mmap(0, 4096, 7, 0x22, -1, 0) > 0: print('ESCAPED')",
    "make memory executable": "b = ctypes.create_string_buffer(8192)\na = ctypes.addressof(b) & ~4095\n"
                              "if C.mprotect(ctypes.c_long(a + 4096), 4096, 5) == 0: print('ESCAPED')",
    "load a library": "ctypes.CDLL('libcrypt.so.1').crypt\nprint('ESCAPED')",
    "send a descriptor": "s = M['socket'].socket(fileno=3)\nM['socket'].send_fds(s, [b'x'], [0])\nprint('ESCAPED')",
}

@pytest.mark.parametrize("name", PROCESS_PAYLOADS)
def test_nobody_is_called_started_or_signalled(sandbox, world, name):
    strike(sandbox, world, PRELUDE, PROCESS_PAYLOADS[name])

# --- system calls by number (x86_64), arguments that would do no harm

RAW = dict(socket=(41, 2, 1, 0), socketpair=(53, 1, 1, 0), pipe=(22, 0), pipe2=(293, 0, 0), fork=(57,), vfork_gone=(58 << 20,),
           memfd_create=(319, 0, 0), ptrace=(101, 0, 0, 0, 0), process_vm_readv=(310, 1, 0, 0, 0, 0, 0),
           process_vm_writev=(311, 1, 0, 0, 0, 0, 0), io_uring_setup=(425, 1, 0), unshare=(272, 0x10000000),
           unshare_nothing=(272, 0), setns=(308, 0, 0), mount=(165, 0, 0, 0, 0, 0), umount=(166, 0, 0), bpf=(321, 0, 0, 0),
           keyctl=(250, 0, -3, 0), add_key=(248, 0, 0, 0, 0, 0), clone3=(435, 0, 0), execve=(59, 0, 0, 0), kill=(62, 0, 0),
           tgkill=(234, 0, 0, 0), pidfd_open=(434, 1, 0), shmget=(29, 0, 4096, 0o1600), msgget=(68, 0, 0o1600),
           semget=(64, 0, 1, 0o1600), mq_open=(240, 0, 0, 0, 0), userfaultfd=(323, 1), perf_event_open=(298, 0, 0, -1, -1, 0),
           personality=(135, 0xFFFFFFFF), eventfd2=(290, 0, 0), epoll_create1=(291, 0), inotify_init1=(294, 0),
           timerfd_create=(283, 1, 0), timer_create=(222, 1, 0, 0), fanotify_init=(300, 0, 0), setsid=(112,), setpgid=(109, 0, 0),
           setpriority=(141, 0, 0, 0), sched_setscheduler=(144, 0, 0, 0), sched_setaffinity=(203, 0, 0, 0),
           dumpable=(157, 4, 1, 0, 0, 0), another_deathsig=(157, 1, 0, 0, 0, 0), no_seccomp=(157, 22, 0, 0, 0, 0),
           seccomp=(317, 2, 0, 0), setuid=(105, 0), setgid=(106, 0), setgroups=(116, 0, 0), umask=(95, 0), fcntl=(72, 0, 1, 0),
           ioctl=(16, 0, 0x5401, 0), flock=(73, 0, 8), sync=(162,), syslog=(103, 10, 0, 0), getsockname=(51, 3, 0, 0),
           sendmsg=(46, 3, 0, 0), shutdown=(48, 3, 0), pause_gone=(34 << 20,), membarrier=(324, 0, 0), kcmp=(312, 1, 1, 0, 0, 0),
           landlock=(444, 0, 0, 1), rseq=(334, 0, 0, 0, 0), wait4=(61, -1, 0, 1, 0), getpgid_of_host=(121, 0),
           map_shared=(9, 0, 4096, 3, 0x21, -1, 0), map_executable=(9, 0, 4096, 7, 0x22, -1, 0),
           openat_write=(257, -100, 0, 0o101, 0), clone_thread=(56, 0x50f00, 0, 0, 0, 0), clone_plain=(56, 17, 0, 0, 0, 0))

@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_no_other_system_call_is_let_in(sandbox, world):
    "Every call that is not on the list fails, whatever its name; a child that it might make ends at once"
    asked = dict(RAW, **{f"nr {i}": (i, -1, -1, -1, -1, -1, -1) for i in range(0, 470)
                         if i not in {n[0] for n in SYSCALLS.values()} | {335, 336}})   # uprobes': SIGILL
    code = f"""
through = []
for name, args in {asked!r}.items():
    ctypes.set_errno(0)
    r = C.syscall(*[ctypes.c_long(o) for o in args])
    if r == 0 and name.startswith(("fork", "vfork", "clone", "nr")) and os.getpid() != me: os._exit(0)
    if r >= 0 or ctypes.get_errno() not in (1, 11, 38): through.append((name, r, ctypes.get_errno()))
through
"""
    o = strike(sandbox, world, PRELUDE + "me = os.getpid()", "me = os.getpid()\n" + code)[1]
    assert (o.status, o.value) == ("ok", "[]")

@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
@pytest.mark.parametrize("number", [0x40000000 | 39, 0x40000000 | 520, -1 & 0xFFFFFFFF])
def test_the_other_abi_ends_the_process(sandbox, world, number):
    o = strike(sandbox, world, PRELUDE, f"C.syscall(ctypes.c_long({number}), 0, 0, 0)\nprint('ESCAPED')")[1]
    assert o.status == "crashed" and "SIGSYS" in o.error

@pytest.mark.parametrize("machine, header", [("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
                                             ("aarch64", "/usr/include/asm-generic/unistd.h")])
def test_the_numbers_are_the_kernels(machine, header):
    if not Path(header).exists(): pytest.skip(f"no {header}")
    text = Path(header).read_text()
    known = {k: int(v) for k, v in re.findall(r"#define __NR3?2?64?_?_?(\w+)\s+(\d+)", text)}
    known |= {k: int(v) for k, v in re.findall(r"#define __NR(?:3264)?_+(\w+)\s+(\d+)", text)}
    alias = dict(fstat="fstat", newfstatat="fstatat" if machine == "aarch64" else "newfstatat")
    column = MACHINES[machine][0]
    wrong = {k: (n[column], known.get(alias.get(k, k))) for k, n in SYSCALLS.items()
             if n[column] is not None and known.get(alias.get(k, k)) != n[column]}
    assert not wrong

# --- values, siblings, later steps

VALUES = {
    "__reduce__": "class A:\n    def __reduce__(self): return (exec, ('open(OUT, \"w\")',))\nfinal_answer(A())",
    "__repr__": "class A:\n    def __repr__(self): return '__import__(\"os\").system(\"touch x\")'\nfinal_answer(A())",
    "__repr__ fails": "class A:\n    def __repr__(self): raise SystemExit\nfinal_answer(A())",
    "__repr__ no text": "class A:\n    def __repr__(self): return 3\nA()",
    "__eq__": "class A:\n    def __eq__(self, o): return True\n    __hash__ = object.__hash__\nfinal_answer([A(), A()])",
    "__hash__": "class A:\n    def __hash__(self): 1 / 0\nfinal_answer(A())",
    "hostile dict": "class D(dict):\n    def items(self): raise KeyboardInterrupt\nfinal_answer(D(a=1))",
    "hostile int": "class I(int):\n    def __str__(self): return 'x' * 10**9\nfinal_answer(I(1))",
    "hostile float": "class F(float):\n    def __repr__(self): return 'NaN'\nfinal_answer(F(1))",
    "hostile list": "class L(list):\n    def __iter__(self):\n        while True: yield 1\nfinal_answer(L())",
    "is_Integer": "class A:\n    is_Integer = True\n    def __int__(self): return True\nfinal_answer(A())",
    "tolist": "class A:\n    dtype = 1\n    def tolist(self): return self\nfinal_answer(A())",
    "surrogates": "final_answer('\\ud800' * 9)",
    "deep": "x = []\nfor _ in range(10**5): x = [x]\nfinal_answer(x)",
    "html": "final_answer('<script>alert(1)</script>')",
}

@pytest.mark.parametrize("name", VALUES)
def test_values_come_back_as_data(sandbox, world, name):
    o = strike(sandbox, world, VALUES[name])[0]
    plain = (type(None), bool, int, float, str, list, dict)
    def walk(x): assert type(x) in plain; [walk(y) for y in (x if type(x) is list else x.values() if type(x) is dict else ())]
    walk(o.answer)
    assert o.key and o.status in ("ok", "error", "timeout", "crashed") and len(repr(o)) < 200_000

SHARED = {
    "shared memory": ("m = M['builtins'].__import__('mmap').mmap(-1, 4096)", "m[:3] = b'abc'", "m[:3]"),
    "pipe": ("r, w = os.pipe()", "os.write(w, b'abc')", "os.read(r, 3)"),
    "socket": ("a, b = M['_socket'].socketpair()", "a.send(b'abc')", "b.recv(3)"),
    "memfd": ("m = os.memfd_create('x')", "os.write(m, b'abc')", "os.pread(m, 3, 0)"),
    "eventfd": ("m = os.eventfd(0)", "os.eventfd_write(m, 7)", "os.eventfd_read(m)"),
    "descriptors": ("x = 1", "[os.write(i, b'abc') for i in range(4, 64)]", "[os.read(i, 3) for i in range(4, 64)]"),
    "position in a file": ("f = os.open(M['json'].__file__, 0)", "os.lseek(f, 3, 0)",
                           "p = os.lseek(f, 0, 1); os.close(f); p == 0 and 1/0; p"),
}

@pytest.mark.parametrize("name", [k for k in SHARED if k != "position in a file"])
def test_siblings_have_no_channel(sandbox, world, name):
    "One sibling writes, the other reads: it must not see what the first one did"
    before, write, read = SHARED[name]
    with sandbox.session() as s:
        s.run(PRELUDE); s.run(before)
        writer, reader = s.try_all([write, read])
        assert reader.status != "ok" and "abc" not in reader.value + reader.logs
        assert s.run("1 + 1").value == "2"
    world.untouched()

TAMPER = ["import builtins as b", "M['builtins'].print = M['builtins'].len = None", "sys.stdout = sys.stderr = None",
          "M['worker'].run_step = lambda n, c: dict(op='done')", "M['worker'].receive = lambda s: ({'op': 'fork'}, None)",
          "M['worker'].branch = lambda n, fd, z: None", "M['worker'].pack = lambda m: b'\\xff' * 9",
          "M['worker'].execute = None", "sys.modules.clear()", "M['json'].dumps = lambda *a, **k: 'x'",
          "M['random'].getstate = None", "os._exit = lambda c: None; os.close(3)", "M['gc'].disable(); sys.setrecursionlimit(10**9)",
          "os.register_at_fork(after_in_child=lambda: os.write(3, b'x' * 99))",
          "sys.settrace(lambda *a: 1 / 0)", "final_answer = None; __builtins__.clear()"]

@pytest.mark.parametrize("code", TAMPER)
def test_tampering_hurts_only_its_own_session(sandbox, world, code):
    with sandbox.session() as bad, sandbox.session() as good:
        bad.run(PRELUDE); bad.run(code)
        outcomes = [bad.run("print(len('abc'))") for _ in range(2)]
        assert all(o.status in ("ok", "error", "crashed", "timeout", "flooded") for o in outcomes)
        assert good.run("print(len('abc'))").logs == "3\n"
    with sandbox.session() as new: assert new.run("sum([1, 2])").value == "3"
    world.untouched()

# --- an ordinary user

USER = """
import os
from agent_distill.sandbox import Sandbox
with Sandbox(imports=["math"]) as s:
    with s.session() as t: print(os.getuid(), s.check(), t.run("6 * 7").value)
"""

def test_as_an_ordinary_user():
    "In a user namespace this process is nobody special: no capability, another user id"
    try: done = subprocess.run(["unshare", "--user", "--map-user=1000", sys.executable, "-c", USER],
                               capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)})
    except FileNotFoundError: pytest.skip("no unshare(1) here")
    if "unshare" in done.stderr: pytest.skip(f"no user namespace here: {done.stderr.strip()}")
    assert done.stdout == "1000 [] 42\n", done.stderr

def test_a_missing_wall_is_refused():
    with pytest.raises(AgentDistillError, match="left out"): Sandbox(imports=["math"], without=["memory limit"])

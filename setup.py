"Package metadata lives in settings.ini; this file only hands it to setuptools."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
ini = ConfigParser(delimiters=["="])
ini.read(here / "settings.ini", encoding="utf-8")
cfg = ini["DEFAULT"]
extras = {k[: -len("_requirements")]: v.split() for k, v in cfg.items() if k.endswith("_requirements")}
statuses = {"3": "3 - Alpha", "4": "4 - Beta", "5": "5 - Production/Stable"}
readme, lib = here / "README.md", cfg["lib_path"]

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=readme.read_text(encoding="utf-8") if readme.exists() else cfg["description"],
    long_description_content_type="text/markdown",
    author=cfg["author"],
    license=cfg["license"],
    url=cfg["git_url"],
    project_urls={"Documentation": cfg["doc_host"] + cfg["doc_baseurl"] + "/"},
    keywords=cfg["keywords"].split(),
    classifiers=[
        f"Development Status :: {statuses[cfg['status']]}",
        f"Intended Audience :: {cfg['audience']}",
        f"Natural Language :: {cfg['language']}",
        *(f"Programming Language :: Python :: {v}" for v in cfg["pythons"].split()),
    ],
    python_requires=f">={cfg['min_python']}",
    # The chapters and the recorded numbers travel with the package: nbs/ becomes agent_distill/nbs/.
    packages=[*find_packages(include=[lib, lib + ".*"]), lib + ".nbs"],
    package_dir={lib + ".nbs": cfg["nbs_path"]},
    package_data={lib: ["py.typed", "**/*.pyi", "lab/weights/**"], lib + ".nbs": ["*.ipynb", "lab/*.ipynb", "recorded/*"]},
    include_package_data=False,   # nothing else: what MANIFEST.in names is for the source distribution
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
    entry_points={"console_scripts": cfg["console_scripts"].split(), "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"]},
    zip_safe=False,
    options={"editable_wheel": {"mode": "compat"}},   # a checkout's folder on the path, which type checkers follow too
)

"""The package as a whole: its stubs, types, syntax, wheel and sdist.

Runs in build/e2e/client-tools; no service is needed. What a new environment installs
comes from build/e2e/client-wheels, so no network is, either.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "clients" / "python"
SOURCE = PACKAGE / "src" / "llm_service"
STUBS = SOURCE / "_stubs"
WHEELS = ROOT / "build" / "e2e" / "client-wheels"


def run(*command, **more) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True,
                          text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stubs_are_those_of_the_protos(tmp_path):
    run(PACKAGE / "generate", tmp_path, env={**os.environ, "PYTHON": sys.executable})
    made = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    kept = {one.name: one.read_bytes() for one in STUBS.glob("*_pb2*")}
    assert made.keys() == kept.keys() and len(made) > 10
    for name, stub in made.items():
        assert stub == kept[name], f"{name} is old: run clients/python/generate"


def test_types_are_strict():
    # What needs LangChain is looked at where it is installed (test_langchain.py).
    run(sys.executable, "-m", "mypy", "--cache-dir", ROOT / "build" / "mypy",
        "--exclude", "/llm_service/(langchain/|tradingagents)", cwd=PACKAGE)


USE = """
from llm_service import AsyncClient, Client, LLMServiceProvider

messages = [{"role": "user", "content": "x"}]
with Client(base_url="http://h") as client:
    answer = client.chat(messages, model="m", temperature=0.5, run_id="r")
    text: str | None = answer["choices"][0]["message"]["content"]
    for chunk in client.stream(messages, tools=[{"type": "function"}], timeout=5):
        index: int = chunk["choices"][0]["index"]
    report = client.usage(by=["model"], where={"run_id": "r"})
    requests: int = report["total"]["requests"]


async def use() -> float:
    async with AsyncClient() as client, client.run("r") as run:
        vectors = await client.embeddings(["a"], model="e", dimensions=3)
    await LLMServiceProvider().chat_completion(messages, task_type="t", seed=1)
    return vectors["data"][0]["embedding"][0]
"""


def test_callers_are_typed_strictly_too(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(USE)
    bad.write_text(USE.replace("temperature=0.5", "temprature=0.5"))
    # Installed packages are read silently; so is the source tree here.
    mypy = [sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent",
            "--cache-dir",
            ROOT / "build" / "mypy-use"]
    env = {**os.environ, "MYPYPATH": str(PACKAGE / "src")}
    run(*mypy, good, cwd=tmp_path, env=env)
    said = subprocess.run([*map(str, mypy), bad], cwd=tmp_path, env=env,
                          capture_output=True, text=True)
    assert said.returncode == 1 and '"temprature"' in said.stdout


def test_the_version_is_that_of_the_project():
    stated = (ROOT / "CMakeLists.txt").read_text()
    ours = (SOURCE / "_version.py").read_text().split('"')[-2]
    assert f"project(llm_service VERSION {ours} " in stated


def test_the_license_is_that_of_the_project():
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_line_is_python_310():
    for file in SOURCE.rglob("*.py"):
        ast.parse(file.read_text(), str(file), feature_version=(3, 10))


def test_nothing_but_the_transport_needs_grpc():
    """Everything else is imported where grpcio and protobuf are absent."""
    run(sys.executable, "-c", """
import sys
for name in ("grpc", "google", "google.protobuf"):
    sys.modules[name] = None
import llm_service
assert llm_service.Client(base_url="http://127.0.0.1:1").transport == "http"
""", env={"PYTHONPATH": str(PACKAGE / "src")})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", out, PACKAGE)
    (wheel,) = out.glob("*.whl")
    (sdist,) = out.glob("*.tar.gz")
    return wheel, sdist


def test_wheel_and_sdist_hold_the_package_and_nothing_else(built):
    wheel, sdist = built
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    assert {"llm_service/py.typed", "llm_service/_stubs/service_pb2_grpc.py",
            "llm_service/_stubs/chat_pb2.pyi", "llm_service/client.py"} <= set(names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert all(name.startswith(("llm_service/", "llm_service_client-"))
               for name in names)
    assert not any("__pycache__" in name for name in names)
    with tarfile.open(sdist) as opened:
        inner = [name.partition("/")[2] for name in opened.getnames()]
    assert {"pyproject.toml", "README.md", "LICENSE", "src/llm_service/py.typed"} <= set(inner)


def test_the_sdist_makes_the_same_wheel(built, tmp_path):
    wheel, sdist = built
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation",
        "--no-index", "-q", "-w", tmp_path, sdist)
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(
            tmp_path / wheel.name) as again:
        assert sorted(first.namelist()) == sorted(again.namelist())


ASK = """
import importlib.util, os
import llm_service
assert "site-packages" in llm_service.__file__
assert (importlib.util.find_spec("grpc") is not None) is {grpc}
try:
    client = llm_service.Client(grpc_target="127.0.0.1:1")
except ImportError as error:
    assert not {grpc} and "llm-service-client[grpc]" in str(error)
    client = llm_service.Client()
assert client.transport == ("grpc" if {grpc} else "http")
try:
    client.chat([{{"role": "user", "content": "x"}}], timeout=5)
except llm_service.ServiceConnectionError:
    print("nobody there")
"""


def test_the_wheel_installs_and_calls_in_a_new_environment(built, tmp_path):
    """First without grpcio, which is HTTP, then with the extra."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    for extra in ("", "[grpc]"):
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
            "--no-compile", "--no-index", "--find-links", WHEELS, f"{built[0]}{extra}")
        said = run(python, "-c", ASK.format(grpc=extra == "[grpc]"), cwd=tmp_path,
                   env={"LLM_SERVICE_URL": "http://127.0.0.1:1"})
        assert said == "nobody there\n"

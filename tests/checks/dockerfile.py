#!/usr/bin/env python3
"""Does what deploy/Dockerfile says in fresh Debian roots, without an engine.

    sudo tests/checks/dockerfile.py build/image            # every stage
    sudo tests/checks/dockerfile.py build/image service    # what it needs alone

A stage is a root of its own, made by debootstrap (minbase, kept in DIR/base for
the next time) and changed by the stage's steps in a chroot with its own mounts.
At the end the health check's and the entry point's programs must be there, and
`llm-service --version` runs as the image's user. A whole run builds the service,
ten minutes on two cores; CCACHE_DIR in the environment is lent to it.
test_deployment.py reads the same steps in every run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE = "debian:12-slim"
MIRROR = "http://deb.debian.org/debian"
SOURCES = f"""deb {MIRROR} bookworm main
deb {MIRROR} bookworm-updates main
deb {MIRROR}-security bookworm-security main
"""
STEPS = {"ARG", "COPY", "RUN", "WORKDIR", "USER"}
FACTS = {"CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "VOLUME"}


@dataclass
class Stage:
    """One FROM with what follows it."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        return [text for name, text in self.steps if name == word][-1]


def read(path: Path = ROOT / "deploy" / "Dockerfile") -> list[Stage]:
    """The stages; fails on words and bases that it does not know."""
    text = re.sub(r"\\\n", " ", path.read_text())
    stages: list[Stage] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, _, name = rest.split()
            assert base == BASE, line
            stages.append(Stage(name))
        else:
            assert word in STEPS | FACTS, line
            stages[-1].steps.append((word, rest))
    return stages


def ignored(name: str) -> bool:
    """Whether .dockerignore keeps a path of the checkout out of the context."""
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if rule and not rule.startswith("#"):
            pattern = re.escape(rule).replace(r"\*\*/", "(.*/)?")
            if re.fullmatch(pattern.replace(r"\*", "[^/]*") + "(/.*)?", name):
                return True
    return False


def context() -> list[str]:
    """The files that an engine would be sent."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name and not ignored(name)]


class Builder:
    def __init__(self, where: Path):
        self.where = where.resolve()
        self.where.mkdir(parents=True, exist_ok=True)

    def root(self, name: str) -> Path:
        return self.where / name

    def make_base(self) -> None:
        base = self.root("base")
        if base.exists():
            return
        new = self.root("base.new")
        shutil.rmtree(new, ignore_errors=True)
        subprocess.run(
            [
                "debootstrap",
                "--variant=minbase",
                "--include=ca-certificates",
                "bookworm",
                new,
                MIRROR,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (new / "etc/apt/sources.list").write_text(SOURCES)
        new.rename(base)

    def run_in(self, root: Path, directory: str, command: str, user="root") -> None:
        """In a chroot with /proc and /dev, whose mounts end with it."""
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", root / "etc" / name)
        inside = f"cd {shlex.quote(directory)} && {command}"
        mounts = f"mount -t proc proc {root}/proc; mount --rbind /dev {root}/dev; "
        if cache := os.environ.get("CCACHE_DIR"):
            (root / "root/.cache/ccache").mkdir(parents=True, exist_ok=True)
            mounts += f"mount --bind {cache} {root}/root/.cache/ccache; "
        jump = f"chroot --userspec={user} {shlex.quote(str(root))}"
        subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-ec",
                f"{mounts}exec {jump} /bin/sh -ec {shlex.quote(inside)}",
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "DEBIAN_FRONTEND": "noninteractive",
            },
        )

    def copy(self, root: Path, directory: str, rest: str) -> None:
        words = rest.split()
        source = ROOT
        if words[0].startswith("--from="):
            source = self.root(words.pop(0).removeprefix("--from="))
        *names, target = words
        into = root / (Path(directory) / target).relative_to("/")
        if names == ["."]:
            pairs = [(name, into / name) for name in context()]
        elif target.endswith("/") or len(names) > 1:
            pairs = [(name, into / Path(name).name) for name in names]
        else:
            pairs = [(names[0], into)]
        for name, goal in pairs:
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name.lstrip("/"), goal)

    def build(self, stage: Stage) -> None:
        root = self.root(stage.name)
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["cp", "-a", self.root("base"), root], check=True)
        directory, user, settings = "/", "root", ""
        for word, rest in stage.steps:
            print(f"== {stage.name}: {word} {rest}", flush=True)
            if word == "RUN":
                self.run_in(root, directory, f"{settings}{rest}", user)
            elif word == "COPY":
                self.copy(root, directory, rest)
            elif word == "ARG":
                settings += f"export {rest}; "
            elif word == "USER":
                user = rest
            elif word == "WORKDIR":
                directory = rest
                (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for word in {"ENTRYPOINT", "HEALTHCHECK"} & {name for name, _ in stage.steps}:
            program = json.loads(re.search(r"\[.*\]", stage.last(word)).group())[0]
            self.run_in(root, directory, f"command -v {program}", user)
        size = subprocess.run(
            ["du", "-smx", "--exclude=.cache", root],
            check=True,
            capture_output=True,
            text=True,
        )
        print(f"== {stage.name}: {size.stdout.split()[0]} MiB", flush=True)


def main() -> None:
    stages = read()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("where", type=Path, help="the folder of the roots")
    parser.add_argument("stage", nargs="*", help=" ".join(s.name for s in stages))
    wanted = parser.parse_args()
    unknown = set(wanted.stage) - {stage.name for stage in stages}
    if unknown:
        parser.error(f"no such stage: {' '.join(sorted(unknown))}")
    if os.geteuid() != 0:
        parser.error("debootstrap and chroot need root")
    builder = Builder(wanted.where)
    builder.make_base()
    for stage in stages:
        if not wanted.stage or stage.name in wanted.stage:
            builder.build(stage)
            if stage.name == "service":
                builder.run_in(
                    builder.root(stage.name),
                    "/",
                    "llm-service --version",
                    stage.last("USER"),
                )


if __name__ == "__main__":
    main()

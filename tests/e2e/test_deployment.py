"""What deploy/ says to engines and init systems, checked without one: the words by
their specifications, and what they promise against the service itself."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
import yaml

import harness
from wire import wait_for

sys.path.insert(0, str(harness.ROOT / "tests" / "checks"))
import dockerfile  # noqa: E402

DEPLOY = harness.ROOT / "deploy"
KUBERNETES = "1.34"
# What an instance takes after SIGTERM: the drain of the configuration, and the
# service's own slack (server/serve.cc).
SLACK = 30


def seconds(text: str) -> int:
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def manifests() -> list[dict]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text())]


def manifest(kind: str, name: str) -> dict:
    (found,) = [
        one
        for one in manifests()
        if one["kind"] == kind and one["metadata"]["name"] == name
    ]
    return found


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text())


def test_the_compose_file_is_one_by_its_specification():
    read = compose_spec.PyCompose.from_yaml(
        (DEPLOY / "docker-compose.yaml").read_text()
    )
    assert set(read.service_names()) == {
        "llm-service",
        "balancer",
        "prometheus",
        "grafana",
    }
    with pytest.raises(Exception, match="cap_drop|unknown|invalid"):
        compose_spec.PyCompose.from_yaml("services: {a: {image: a, cap_drop: 7}}")


def test_no_secret_gets_into_git_or_an_image():
    ours = [secret["file"] for secret in compose()["secrets"].values()]
    ours += [one["path"] for one in compose()["services"]["llm-service"]["env_file"]]
    names = [str((DEPLOY / name).resolve().relative_to(harness.ROOT)) for name in ours]
    assert len(names) == 3
    for name in names:
        subprocess.run(
            ["git", "check-ignore", "-q", name], cwd=harness.ROOT, check=True
        )
    assert all(dockerfile.ignored(name) for name in names)


def test_what_compose_builds_mounts_and_stops_is_there():
    services = compose()["services"]
    stages = {stage.name: stage for stage in dockerfile.read()}
    for name, stage in (("llm-service", "service"), ("balancer", "balancer")):
        service = services[name]
        assert service["build"]["target"] == stage in stages
        assert (DEPLOY / service["build"]["context"]).resolve() == harness.ROOT
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert services["llm-service"]["deploy"]["replicas"] == 3
    # A published port belongs to one container: the scaled service has none.
    assert "ports" not in services["llm-service"]
    assert set(services["balancer"]["ports"]) == {"8004:8004", "9004:9004"}
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])
        for volume in services[name]["volumes"]:
            if volume.startswith("."):
                assert (DEPLOY / volume.split(":")[0]).exists(), volume


def test_commands_for_compose_name_its_file():
    text = (DEPLOY / "operations.md").read_text().split("## Reading the metrics")[0]
    commands = re.findall(r"docker compose\b.*", text)
    assert commands
    for command in commands:
        assert command.startswith("docker compose -f deploy/docker-compose.yaml")


@pytest.mark.parametrize("version", ["1.28", KUBERNETES])
def test_every_manifest_is_one_by_kubernetes_own_schema(version):
    for one in manifests():
        kubernetes_validate.validate(one, version, strict=True)
    wrong = manifest("Deployment", "llm-service")
    wrong["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_manifests_refer_to_what_is_there():
    for name in ("llm-service", "llm-balancer"):
        deployment = manifest("Deployment", name)
        pod = deployment["spec"]["template"]
        labels = pod["metadata"]["labels"].items()
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
        budget = manifest("PodDisruptionBudget", name)
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels
        spec = pod["spec"]
        (container,) = spec["containers"]
        doors = {port["name"] for port in container["ports"]}
        for service in manifests():
            if (
                service["kind"] == "Service"
                and service["spec"]["selector"].items() <= labels
            ):
                assert {
                    port["targetPort"] for port in service["spec"]["ports"]
                } <= doors
        for probe in ("livenessProbe", "readinessProbe"):
            ((_, how),) = [
                item
                for item in container[probe].items()
                if item[0] in ("httpGet", "tcpSocket")
            ]
            assert how["port"] in doors
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        volumes = {volume["name"] for volume in spec["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert spec["securityContext"]["runAsNonRoot"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["securityContext"]["readOnlyRootFilesystem"]


LONGEST_CALL = 450  # seconds; what callers of the project wait for an answer


def stop_seconds(unit: str) -> int:
    text = (DEPLOY / unit).read_text()
    return int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE).group(1))


def test_a_drain_lasts_as_the_longest_call_and_nobody_kills_before_its_end():
    services = compose()["services"]
    pods = {
        name: manifest("Deployment", name)["spec"]["template"]["spec"]
        for name in ("llm-service", "llm-balancer")
    }
    stop = pods["llm-service"]["containers"][0]["lifecycle"]["preStop"]["exec"]
    mapped = manifest("ConfigMap", "llm-service")["data"]["config.yaml"]
    # Drain, what comes before it, grace of an instance, grace of the balancer.
    for text, before, instance, balancer in (
        (
            (DEPLOY / "container.yaml").read_text(),
            0,
            seconds(services["llm-service"]["stop_grace_period"]),
            seconds(services["balancer"]["stop_grace_period"]),
        ),
        (
            mapped,
            int(stop["command"][-1]),
            pods["llm-service"]["terminationGracePeriodSeconds"],
            pods["llm-balancer"]["terminationGracePeriodSeconds"],
        ),
        (
            (DEPLOY / "llm-service.yaml").read_text(),
            0,
            stop_seconds("llm-service.service"),
            stop_seconds("balancer/llm-balancer.service"),
        ),
    ):
        drain = seconds(yaml.safe_load(text)["server"]["drain"])
        assert drain > LONGEST_CALL
        assert balancer >= instance > before + drain + SLACK


def test_no_manifest_or_image_opens_the_administrator_s_door():
    for text in (
        (DEPLOY / "container.yaml").read_text(),
        manifest("ConfigMap", "llm-service")["data"]["config.yaml"],
    ):
        admin = yaml.safe_load(text)["server"]["admin"]
        assert {door.split(":")[0] for door in admin.values()} == {"127.0.0.1"}
    # A Secret in this directory would be applied with the rest, known to all.
    assert "Secret" not in {one["kind"] for one in manifests()}


def test_users_of_images_and_manifests_are_the_same():
    stages = {stage.name: stage for stage in dockerfile.read()}
    for stage, name in (("service", "llm-service"), ("balancer", "llm-balancer")):
        pod = manifest("Deployment", name)["spec"]["template"]["spec"]
        user, group = stages[stage].last("USER").split(":")
        assert int(user) == pod["securityContext"]["runAsUser"] > 0
        assert int(group) == pod["securityContext"]["runAsGroup"] > 0
        (container,) = pod["containers"]
        exposed = {int(port) for port in stages[stage].last("EXPOSE").split()}
        assert {port["containerPort"] for port in container["ports"]} <= exposed


def test_the_service_takes_the_configurations_of_containers(tmp_path):
    texts = [
        (DEPLOY / "container.yaml").read_text(),
        manifest("ConfigMap", "llm-service")["data"]["config.yaml"],
    ]
    (tmp_path / "admin_key").write_text(harness.ADMIN_KEY)
    for text in texts:
        where = tmp_path / "config.yaml"
        where.write_text(
            re.sub(
                r"file:/run/secrets/(\S*/)?admin_key",
                f"file:{tmp_path}/admin_key",
                text,
            )
        )
        subprocess.run(
            [harness.SERVICE, "check", "--config", where], check=True, timeout=30
        )
        ports = set(re.findall(r':(\d+)"', text))
        assert ports == {"8004", "9004", "8005", "9005", "9464"}


def test_the_configuration_and_the_check_that_the_manual_has(tmp_path):
    text = (DEPLOY / "operations.md").read_text()
    config = re.search(r"(?:^    .*\n)+(?<=\[deepseek-chat\]\}\n)", text, re.M).group()
    command = re.search(r"    (llm-service check --config <.*\\\n.*)", text).group(1)
    (tmp_path / "config.yaml").write_text(re.sub("^    ", "", config, flags=re.M))
    (tmp_path / "credentials" / "keys").mkdir(parents=True)
    (tmp_path / "credentials" / "keys" / "deepseek").write_text("sk-of-nobody")
    command = command.replace("/etc/llm-service", str(tmp_path))
    command = command.replace("llm-service check", f"{harness.SERVICE} check", 1)
    subprocess.run(["bash", "-c", command], check=True, timeout=30)


def test_the_image_is_made_of_known_steps_and_listed_packages():
    stages = {stage.name: stage for stage in dockerfile.read()}
    assert list(stages) == ["build", "balancer", "service"]
    text = (DEPLOY / "Dockerfile").read_text()
    # Packages stand in packages.txt or come from the binary, never here.
    assert re.findall(r"apt-get install [^&\n]*", text) == [
        "apt-get install -y --no-install-recommends "
        "$(cat /usr/share/llm-service/packages) "
    ]
    files = dockerfile.context()
    for stage in stages.values():
        for word, rest in stage.steps:
            if word == "COPY" and not rest.startswith("--from="):
                for name in rest.split()[:-1]:
                    assert name == "." or name in files, f"not in the context: {name}"
    assert "CMakeLists.txt" in files and "deploy/runtime-packages" in files
    assert not [name for name in files if name.startswith(("tests/", ".git/", "build"))]


def test_the_packages_of_the_image_are_those_of_the_binary():
    listed = subprocess.run(
        [DEPLOY / "runtime-packages", harness.SERVICE],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {"ca-certificates", "tzdata", "libgrpc++1.51", "libcurl4"} <= set(listed)
    assert not [name for name in listed if name.endswith("-dev")]
    # With all they depend on they hold every library that the program loads.
    closure = subprocess.run(
        [
            "apt-cache",
            "depends",
            "--recurse",
            "--installed",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            "--no-enhances",
            *listed,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    closure = set(re.findall(r"^(\S+)$", closure, re.MULTILINE))
    loaded = subprocess.run(
        ["ldd", harness.SERVICE], check=True, capture_output=True, text=True
    ).stdout
    paths = {str(Path(path).resolve()) for path in re.findall(r"=> (/\S+)", loaded)}
    # Debian 12 has one /lib, whose files packages call /lib or /usr/lib.
    owners = subprocess.run(
        ["dpkg-query", "-S", *paths, *(path.removeprefix("/usr") for path in paths)],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    found = set(re.findall(r": (?:/usr)?(/\S+)$", owners, re.MULTILINE))
    assert found == {path.removeprefix("/usr") for path in paths}
    assert set(re.findall(r"^([^:\s]+):", owners, re.MULTILINE)) <= closure


@pytest.mark.parametrize(
    "unit", ["llm-service.service", "balancer/llm-balancer.service"]
)
def test_systemd_takes_the_units_and_finds_them_hardened(unit, tmp_path):
    text = (DEPLOY / unit).read_text()
    # The program is not installed on this machine.
    (tmp_path / "llm-service").symlink_to(harness.SERVICE)
    text = text.replace("/usr/local/bin", str(tmp_path))
    where = tmp_path / unit.split("/")[-1]
    where.write_text(text)
    names = [where]
    if "%i" in text:
        template = tmp_path / "llm-service@2.service"
        template.write_text(text)
        names.append(template)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [
        line
        for line in checked.stderr.splitlines()
        if str(tmp_path) in line or where.name in line
    ]
    assert checked.returncode == 0 and not ours, checked.stderr
    judged = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            "--threshold=20",
            where,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert judged.returncode == 0, judged.stdout[-400:]
    figure = re.search(r"exposure level for .*: (\S+)", judged.stdout).group(1)
    harness.report(f"systemd-analyze security {where.name}: {figure}")


def test_a_backup_made_under_load_has_keys_and_usage(service, tmp_path):
    text = harness.config("simulated: {}", auth="keys")
    running = service(text)
    key = running.create_key("kept")
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            assert running.chat(key=key).status == 200

    callers = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for caller in callers:
        caller.start()
    wait_for(lambda: running.usage()["total"]["requests"] > 50)
    # As operations.md has it.
    manual = (DEPLOY / "operations.md").read_text()
    command, *_ = re.findall(r'"VACUUM INTO .*"', manual)
    copy = tmp_path / "service.db"
    command = re.sub(r"'.*'", f"'{copy}'", command).strip('"')
    before = running.usage()["total"]["requests"]
    subprocess.run(
        ["sqlite3", running.directory / "service.db", command], check=True, timeout=60
    )
    stop.set()
    for caller in callers:
        caller.join()
    restored = service(text, directory=tmp_path)
    assert restored.usage()["total"]["requests"] >= before
    assert restored.chat(key=key).status == 200


def three_instances(tmp_path) -> dict[str, str]:
    """The environment of a user other than root, on ports of our own."""
    if harness.SERVICE != harness.ROOT / "build/release/server/llm-service":
        pytest.skip("the script starts build/release")
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LLM_THREE_STATE": str(tmp_path / "three"),
        # Below the ports that the kernel gives away; the script's are up to 2000 on.
        "LLM_THREE_PORT": str(20000 + os.getpid() % 8000),
    }


def test_three_instances_start_by_one_command_and_share_a_key(tmp_path):
    script = subprocess.Popen(
        [DEPLOY / "three-instances"],
        env=three_instances(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said, deadline = "", time.monotonic() + 60
        while "Stop with" not in said:
            line = script.stdout.readline()
            assert line and time.monotonic() < deadline, said
            said += line
        lines = re.findall(r"^curl .*", said, re.MULTILINE)

        def ask(line: str) -> dict:
            return json.loads(subprocess.check_output(["bash", "-c", line]))

        assert ask(lines[0])["llm_service"]["provider"] == "simulated"
        wait_for(lambda: ask(lines[1])["total"]["requests"] == 1, 10)
        # The drain that it suggests: callers notice nothing before it is gone, and
        # nothing afterwards.
        drained = int(re.search(r"kill -TERM (\d+)", said).group(1))
        os.kill(drained, signal.SIGTERM)

        def answered_and_gone() -> bool:
            assert ask(lines[0])["llm_service"]["provider"] == "simulated"
            return not is_running(drained)

        wait_for(answered_and_gone, 30, "the drained instance does not end")
        for _ in range(20):
            assert ask(lines[0])["llm_service"]["provider"] == "simulated"
    finally:
        script.terminate()
        assert script.wait(60) == 0


def is_running(process: int) -> bool:
    """Whether it serves: a zombie, whose parent has not asked, does not."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(") ")[2][0] != "Z"


@pytest.mark.parametrize("distance", [0, 200])
def test_three_instances_refuse_a_port_that_is_taken(tmp_path, distance):
    environment = three_instances(tmp_path)
    port = int(environment["LLM_THREE_PORT"]) + distance
    with socket.create_server(("127.0.0.1", port)):
        ended = subprocess.run(
            [DEPLOY / "three-instances"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert f"port {port} is taken" in ended.stderr


def test_three_instances_end_with_a_reason_where_one_does_not_start(tmp_path):
    environment = three_instances(tmp_path)
    admin = int(environment["LLM_THREE_PORT"]) + 101  # it is not looked at before
    with socket.create_server(("127.0.0.1", admin)):
        ended = subprocess.run(
            [DEPLOY / "three-instances"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert "a process ended" in ended.stderr and str(admin) in ended.stderr

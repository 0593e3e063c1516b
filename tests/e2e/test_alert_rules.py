"""The rules, their unit tests, the dashboard and the runbook fit together.

Nothing runs here but promtool; test_prometheus.py runs the real programs.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import harness

DEPLOY = harness.ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
OPERATIONS = DEPLOY / "operations.md"
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))


def rules() -> list[dict]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboard() -> dict:
    path = DEPLOY / "grafana" / "dashboards" / "llm-service.json"
    return json.loads(path.read_text())


def panels(kind: str | None = None) -> list[dict]:
    return [panel for panel in dashboard()["panels"]
            if (panel["type"] == kind if kind else panel["type"] != "row")]


def anchors(text: str) -> set[str]:
    """Of the headings, as Git hosts make them."""
    titles = re.findall(r"^#+ +(.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            for title in titles}


def promtool(*arguments: str | Path) -> str:
    ran = subprocess.run(["promtool", *arguments], capture_output=True,
                         text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", ["prometheus.yaml", "quickstart.yaml"])
def test_prometheus_takes_the_configuration_and_the_rules(name):
    assert "rules found" in promtool("check", "config", PROMETHEUS / name)


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_unit_tests(path):
    promtool("test", "rules", path)


def test_every_alert_has_a_case_that_fires_and_one_that_is_silent():
    fires, silent = set(), set()
    for path in UNIT_TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case.get("alert_rule_test", []):
                kind = fires if check["exp_alerts"] else silent
                kind.add(check["alertname"])
    assert fires == silent == set(alerts())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_says_how_bad_what_with_figures_and_what_to_do(name):
    alert = alerts()[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert 10 < len(notes["summary"]) < 110
    # Of what is down or absent there are no figures.
    if name not in ("LlmServiceDown", "LlmServiceAbsent",
                    "LlmServiceDrainingStuck", "LlmServiceLedgerStoreDown"):
        assert "$value" in notes["description"]
    page, anchor = notes["runbook_url"].split("#")
    assert harness.ROOT / page == OPERATIONS
    assert anchor in anchors(OPERATIONS.read_text())


def test_the_runbook_names_no_alert_that_is_gone():
    named = set(re.findall(r"\bLlmService[A-Z]\w+", OPERATIONS.read_text()))
    assert named <= set(alerts())


def test_every_link_within_the_runbook_leads_somewhere():
    text = OPERATIONS.read_text()
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors(text)


def test_the_dashboard_is_well_formed():
    board = dashboard()
    assert board["schemaVersion"] >= 36
    assert board["uid"] == "llm-service"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    kinds = {var["name"]: var["type"] for var in board["templating"]["list"]}
    assert kinds == {"datasource": "datasource", "job": "query",
                     "instance": "query"}
    titles = [panel["title"] for panel in panels("row")]
    assert titles == ["Traffic and objective", "Latency", "Providers", "Cost",
                      "Tokens", "Ledger", "Process"]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_has_a_unit_a_description_and_its_source(panel):
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"]
    assert panel["targets"]
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "prometheus",
                                      "uid": "${datasource}"}
    for target in panel["targets"]:
        assert "$job" in target["expr"], "shows every job"


def test_no_panel_lies_over_another():
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                assert other == panel["title"]


def test_grafana_finds_its_source_and_the_dashboard():
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load(
        (folder / "datasources" / "prometheus.yaml").read_text())["datasources"]
    scrape = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    # $__rate_interval is made of it.
    assert source["jsonData"]["timeInterval"] == scrape["global"]["scrape_interval"]
    assert source["type"] == "prometheus"
    (provider,) = yaml.safe_load(
        (folder / "dashboards" / "llm-service.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].endswith("/dashboards")


@pytest.fixture
def compose() -> dict:
    path = DEPLOY / "docker-compose.yaml"
    if not path.exists():
        pytest.skip("no compose file in this checkout")
    return yaml.safe_load(path.read_text())["services"]


def test_prometheus_looks_for_what_the_containers_are_called(compose):
    scrape = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    job = scrape["scrape_configs"][0]
    assert job["job_name"] == "llm-service"
    (found,) = job["dns_sd_configs"]
    (name,) = found["names"]
    assert name in compose
    listening = yaml.safe_load((DEPLOY / "container.yaml").read_text())
    assert listening["server"]["metrics"]["listen"] == f"0.0.0.0:{found['port']}"


def test_the_containers_read_the_rules_the_source_and_the_dashboard(compose):
    mounts = {volume.split(":")[1]: DEPLOY / volume.split(":")[0]
              for name in ("prometheus", "grafana")
              for volume in compose[name]["volumes"]}
    (config,) = [word.split("=")[1] for word in compose["prometheus"]["command"]
                 if word.startswith("--config.file=")]
    for inside in (Path(config), Path(config).parent / "rules.yaml",
                   Path("/etc/grafana/provisioning/datasources/prometheus.yaml"),
                   Path("/var/lib/grafana/dashboards/llm-service.json")):
        outside = [source / inside.relative_to(target)
                   for target, source in mounts.items()
                   if inside.is_relative_to(target)
                   and (source / inside.relative_to(target)).exists()]
        assert outside, inside
    provider = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "dashboards"
                               / "llm-service.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] in mounts

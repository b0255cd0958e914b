"""What deploy/ holds for clusters, as far as one machine can tell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fashionkp_mm.exchange.formats import read_table
from fashionkp_mm.synthetic import write_dataset

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    """The manifest of the job for KubeRay."""
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "kuberay.yaml").read_text())
    return content


def test_the_manifest_is_a_ray_job(job: dict[str, Any]) -> None:
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        # KubeRay takes text alone here.
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert container["image"] == "fashionkp-worker:0.2.0"
    for workers in cluster["workerGroupSpecs"]:
        assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]


def test_its_command_runs_as_it_stands(
    job: dict[str, Any], tmp_path: Path, pose_file: Path, detector_file: Path
) -> None:
    """But for the addresses, the cluster's, and the model, which is a small one here."""
    pytest.importorskip("ray")
    pd = pytest.importorskip("pandas")
    write_dataset(tmp_path / "drawn", images=3, seed=1)
    pictures = sorted(map(str, (tmp_path / "drawn").rglob("*.jpg")))
    pd.DataFrame({"uri": pictures}).to_parquet(tmp_path / "catalogue.parquet")
    words = shlex.split(job["spec"]["entrypoint"])
    assert words[0] == "fashionkp"
    here = {"s3://shop": str(tmp_path)}
    words = [re.sub("|".join(here), lambda found: here[found[0]], word) for word in words[1:]]
    at = words.index("--address")
    del words[at : at + 2]
    models = ["--model", str(pose_file), "--detector", str(detector_file)]
    for _ in range(2):  # a job that starts anew goes on
        done = subprocess.run(
            [sys.executable, "-m", "fashionkp_mm", *words, *models],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert len(read_table(tmp_path / "garments").pictures) == len(pictures)


def test_the_slurm_array(tmp_path: Path, pose_file: Path) -> None:
    script = DEPLOY / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    write_dataset(tmp_path / "drawn", images=5, seed=2)
    (tmp_path / "fashionkp").write_text(f'#!/bin/sh\nexec {sys.executable} -m fashionkp_mm "$@"\n')
    (tmp_path / "fashionkp").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    options = ["--model", str(pose_file), "--boxes", "whole"]
    for task in (1, 2, 2):
        array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "2"}
        command = [script, tmp_path / "drawn", tmp_path / "out", *options]
        done = subprocess.run(
            command, env={**env, **array}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "is there already" in done.stdout
    parts = sorted((tmp_path / "out").glob("*.json"))
    assert [part.name for part in parts] == ["part-0001.json", "part-0002.json"]
    found = [image_id for part in parts for image_id in read_table(part).pictures]
    assert len(found) == len(set(found))
    shown = {str(path.relative_to(tmp_path / "drawn")) for path in tmp_path.rglob("*.jpg")}
    assert set(found) <= shown
    assert subprocess.run([script], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.worker"])
def test_images_hold_what_the_package_needs(name: str) -> None:
    """Whatever pyproject.toml says that the runtime needs is installed, and nobody is root."""
    text = (DEPLOY / name).read_text()
    project = (DEPLOY.parent / "pyproject.toml").read_text()
    dependencies = project.split("dependencies = [")[1].split("\n]")[0]
    for needed in re.findall(r'^ *"([A-Za-z_-]+)', dependencies, re.M):
        assert re.search(rf"\b{needed}\b", text), needed
    users = re.findall(r"^USER (\w+)", text, re.M)
    assert users
    assert users[-1] != "root"
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        assert all((DEPLOY.parent / each).exists() for each in source.split())

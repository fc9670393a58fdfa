#!/usr/bin/env python3
"""The image: built from docker/Dockerfile and run with the hardening that docker/README.md promises.

Needs no Docker engine and no registry: the base image is made with debootstrap, the image with buildah,
containers run with podman, as root.  Where one of them is missing, or this machine does not let containers
run, the tests say SKIPPED with the reason; the compose file is looked at anyway.
LIFELINE_TEST_DOCKER_WORK names a folder that keeps the base image between runs.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

import support
from support import ROOT, Pki, curl, equal, free_port, status_is, wait_until

TOOLS = ("buildah", "podman", "crun", "debootstrap")
IMAGE = "localhost/lifeline:test"
BASE = "localhost/debian:bookworm-slim"
COMPOSE = ROOT / "docker" / "compose.yaml"
work = pathlib.Path(os.environ.get("LIFELINE_TEST_DOCKER_WORK") or support.scratch_folder())
environment = {**os.environ}


def run(*words, check=True, seconds=900):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          env=environment, timeout=seconds, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}:\n{done.stdout[-2000:]}"
                             f"{done.stderr[-3000:]}")
    return done


def need_tools():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        support.skip(f"not installed: {' '.join(missing)}")
    if os.geteuid() != 0:
        support.skip("needs root")


def write_settings():
    """Storage and runtime of our own, so that nothing of the machine's is touched."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{work}/graph"\nrunroot = "{work}/run"\n')
    (work / "containers.conf").write_text(
        '[containers]\ncgroups = "disabled"\nnetns = "host"\n'
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n')
    (work / "registries.conf").write_text("unqualified-search-registries = []\n")
    environment.update(CONTAINERS_STORAGE_CONF=str(work / "storage.conf"),
                       CONTAINERS_CONF=str(work / "containers.conf"),
                       CONTAINERS_REGISTRIES_CONF=str(work / "registries.conf"))


def base_image():
    """debian:bookworm-slim without a registry."""
    if run("podman", "image", "exists", BASE, check=False).returncode == 0:
        return
    root = work / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    done = run("debootstrap", "--variant=minbase", "bookworm", root, check=False)
    if done.returncode != 0:
        support.skip("debootstrap could not make the base: " +
                     (done.stdout + done.stderr).strip().splitlines()[-1])
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    # The machine's own mirrors, as debootstrap knows only the main one.
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    for name in ("sources.list", "sources.list.d", "apt.conf.d", "trusted.gpg.d"):
        source, target = pathlib.Path("/etc/apt", name), root / "etc/apt" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy(source, target)
    archive = work / "base.tar"
    run("tar", "-C", root, "-cf", archive, ".")
    run("podman", "import", archive, BASE)
    archive.unlink()
    shutil.rmtree(root, ignore_errors=True)


def image():
    need_tools()
    write_settings()
    base_image()
    if os.environ.get("LIFELINE_TEST_DOCKER_REUSE") and \
            run("podman", "image", "exists", IMAGE, check=False).returncode == 0:
        return
    run("buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--network",
        "host", "--build-arg", f"BASE={BASE}", "--ignorefile", ROOT / "docker/Dockerfile.dockerignore",
        "-t", IMAGE, "-f", ROOT / "docker/Dockerfile", ROOT, seconds=1800)


def podman_command(*words):
    """With the real runtime and the real flags; crun refuses a hybrid cgroup mount, so it goes first.
    What podman asks for by default may be more than this machine allows."""
    return ["unshare", "-m", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh",
            "podman", "run", "--rm", "--network", "host", "--no-healthcheck", "--read-only",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp",
            "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1024:1024", *words]


def podman_run(*words, **more):
    return run(*podman_command(*words), **more)


def need_runtime():
    done = podman_run(IMAGE, "version", check=False)
    if done.returncode != 0:
        support.skip("containers do not run here: " + done.stderr.strip().splitlines()[-1])


def test_compose_file():
    """compose.yaml is well-formed, hardened, and names files that exist or that README makes"""
    try:
        import yaml
    except ImportError:
        support.skip("python3-yaml is not installed")
    compose = yaml.safe_load(COMPOSE.read_text())
    made = {"ca.pem", "server.pem", "server.key", "audit.key", "ehr.pem", "ehr.key"}
    for name, secret in compose["secrets"].items():
        assert secret["file"].startswith("../certs/dev/"), secret
        assert pathlib.Path(secret["file"]).name in made, f"{name}: who makes {secret['file']}?"
    for name, service in compose["services"].items():
        for key, value in (("read_only", True), ("cap_drop", ["ALL"]),
                           ("security_opt", ["no-new-privileges:true"]), ("user", "65532:65532")):
            equal(service.get(key), value, f"{name}.{key}")
        assert service["healthcheck"]["test"][1:] == ["lifeline", "healthcheck"], name
        assert set(service["secrets"]) <= set(compose["secrets"]), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (COMPOSE.parent / source).is_file(), volume
    equal(compose["services"]["gateway"]["depends_on"]["ehr"]["condition"], "service_healthy")


def test_compose_tools_read_it():
    """podman-compose and docker compose read compose.yaml"""
    tools = []
    if shutil.which("podman-compose") and shutil.which("podman"):
        tools.append(["podman-compose", "--dry-run", "-f", COMPOSE, "up", "-d"])
    if shutil.which("docker") and run("docker", "compose", "version", check=False).returncode == 0:
        tools.append(["docker", "compose", "-f", COMPOSE, "config", "-q"])
    if not tools:
        support.skip("neither podman-compose nor docker compose is installed")
    for tool in tools:
        run(*tool)


def test_configurations_of_compose():
    """gateway.json and ehr.json are right but for the files that exist only in the container"""
    for name in ("gateway.json", "ehr.json"):
        done = subprocess.run([support.BINARY, "check", "--config", ROOT / "docker" / name],
                              capture_output=True, text=True, check=False)
        for line in done.stderr.splitlines():
            assert re.search(r"'/(run/secrets|var/lib/lifeline|usr/local)/?[^']*' does not exist", line), \
                f"{name}: {line}"


def test_image():
    """the image builds, runs as nobody with a read-only root, and the binary is its own health check"""
    image()
    inspected = json.loads(run("podman", "image", "inspect", IMAGE).stdout)[0]
    config = inspected["Config"]
    equal(config["User"], "65532:65532")
    equal(config["Entrypoint"], ["lifeline"])
    equal(list(config["Volumes"]), ["/var/lib/lifeline"])
    equal(config.get("StopSignal"), "SIGTERM")
    health = (inspected.get("HealthCheck") or inspected.get("Healthcheck") or
              config.get("Healthcheck") or {}).get("Test")
    equal(health, ["CMD", "lifeline", "healthcheck"])
    need_runtime()
    text = podman_run(IMAGE, "version", "--json").stdout
    assert json.loads(text)["lifeline"], text
    podman_run("--entrypoint", "/usr/local/bin/lifeline", IMAGE, "check", "--mappings",
               "/usr/local/share/lifeline/mappings")
    done = podman_run("--entrypoint", "/bin/sh", IMAGE, "-c", "id -u; touch /usr/x", check=False)
    equal(done.stdout.strip(), "65532")
    assert done.returncode != 0 and "ead-only" in done.stderr, done.stderr


def test_service_in_a_container():
    """the gateway serves from its container, and SIGTERM ends it with status 0"""
    image()
    need_runtime()
    pki = Pki("general-hospital")
    data, port, admin = support.scratch_folder(), free_port(), free_port()
    for path in [pki.folder, *pki.folder.iterdir()]:
        os.chmod(path, 0o755)
    # Containers share this machine's network here, so the ports come from the environment.
    settings = json.loads(re.sub(r"^\s*//.*$", "", (ROOT / "docker/gateway.json").read_text(),
                                 flags=re.M))
    settings["destinations"], settings["tenants"][0]["destinations"] = [], []
    (data / "lifeline.json").write_text(json.dumps(settings))
    os.chmod(data, 0o777)
    os.chmod(data / "lifeline.json", 0o644)
    name = f"lifeline-test-{port}"
    command = podman_command(
        "--name", name, "-v", f"{data}:/var/lib/lifeline", "-v", f"{pki.folder}:/run/secrets:ro",
        "-v", f"{data}/lifeline.json:/etc/lifeline/lifeline.json:ro",
        "-e", f"LIFELINE_LISTEN__PORT={port}", "-e", f"LIFELINE_ADMIN__PORT={admin}", IMAGE)
    log = open(data / "log", "wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        def is_ready():
            assert process.poll() is None, (data / "log").read_text()[-2000:]
            return curl(f"https://127.0.0.1:{port}/fhir/metadata", pki=pki, check=False)
        status_is(wait_until(is_ready, "the container to answer", 60), 200)
        reply = curl(f"https://127.0.0.1:{port}/fhir", pki=pki,
                     body=(support.SAMPLES / "aml-7plus3-flag-ida.json").read_bytes())
        status_is(reply, 200)
        run("podman", "kill", "--signal", "TERM", name)
        equal(process.wait(60), 0, "exit status of the container")
    finally:
        if process.poll() is None:
            run("podman", "kill", name, check=False)
            process.wait(30)
    assert (data / "lifeline.db").is_file()


if __name__ == "__main__":
    support.main(globals())

#!/usr/bin/env python3
"""Runs clients that nobody here wrote, each against a gateway of its own.  Installs their npm packages
when they are not there; SKIPPED, with the reason, where there is no node or a package cannot be had."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import support  # noqa: E402


CLIENTS = ("fhir-kit-client", "fhirclient", "@medplum/core", "jose")
SCRIPTS = ("fhir_kit.mjs", "fhirclient.mjs", "medplum.mjs")


def install():
    """None when the clients are installed, else why they are not."""
    if all((HERE / "node_modules" / client).is_dir() for client in CLIENTS):
        return None
    if shutil.which("npm") is None:
        return "npm is not installed"
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
                          cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return "npm could not install the clients: " + (done.stderr.strip().splitlines() or ["?"])[-1]


def main():
    reason = "node is not installed" if shutil.which("node") is None else install()
    if reason:
        print(f"SKIPPED interop: {reason}")
        return 0
    pki = support.Pki("general-hospital")
    return max([run(pki, script) for script in SCRIPTS] +
               [run_smart(pki, algorithm) for algorithm in ("ES384", "RS384")])


def run_smart(pki, algorithm):
    """Assertions that a gateway has really sent, and the JWK Set that it serves."""
    with support.cleanup():
        ehr = support.PlayedEhr(pki, "hapi-like", options=("--smart", "lifeline-client"))
        gateway = support.Lifeline(pki)
        keys = gateway.folder / "keys"
        keys.mkdir()
        gateway.settings["keys_folder"] = str(keys)
        gateway.send_to(ehr.base, smart_client_id="lifeline-client", smart_scope="system/Flag.crus",
                        smart_algorithm=algorithm)
        gateway.config_file.write_text(json.dumps(gateway.settings))
        gateway.run("keys", "new", "--algorithm", algorithm)
        gateway.start()
        sample = support.SAMPLES / "ovarian-platinum-resistant.json"
        support.status_is(gateway.curl("", body=sample.read_bytes()), 200)
        support.wait_until(lambda: json.loads(ehr.control("smart"))["assertions"], "an assertion")
        served = gateway.curl(f"https://127.0.0.1:{gateway.port}/.well-known/jwks.json")
        environment = {**os.environ, "JWKS": served.body.decode(), "ALGORITHM": algorithm,
                       "ASSERTIONS": ehr.control("smart"), "CLIENT_ID": "lifeline-client"}
        return subprocess.run(["node", HERE / "smart.mjs"], env=environment, check=False).returncode


def run(pki, script):
    with support.cleanup():
        gateway = support.Lifeline(pki).start()
        environment = {**os.environ, "BASE_URL": gateway.base, "CA_FILE": pki.file("ca.pem"),
                       "CERT_FILE": pki.file("general-hospital.pem"),
                       "KEY_FILE": pki.file("general-hospital.key")}
        return subprocess.run(["node", HERE / script], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

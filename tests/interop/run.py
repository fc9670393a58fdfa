#!/usr/bin/env python3
"""Runs clients that nobody here wrote, each against a gateway of its own.  Installs their npm packages
when they are not there; SKIPPED, with the reason, where there is no node or a package cannot be had."""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import support  # noqa: E402


CLIENTS = ("fhir-kit-client", "fhirclient", "@medplum/core")
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
    return max([run(pki, script) for script in SCRIPTS])


def run(pki, script):
    with support.cleanup():
        gateway = support.Lifeline(pki).start()
        environment = {**os.environ, "BASE_URL": gateway.base, "CA_FILE": pki.file("ca.pem"),
                       "CERT_FILE": pki.file("general-hospital.pem"),
                       "KEY_FILE": pki.file("general-hospital.key")}
        return subprocess.run(["node", HERE / script], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

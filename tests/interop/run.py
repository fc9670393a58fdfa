#!/usr/bin/env python3
"""Runs fhir_kit.mjs against a gateway of its own.  Installs the npm package when it is not there;
SKIPPED, with the reason, where there is no node or the package cannot be had."""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import support  # noqa: E402


def install():
    """None when the client is installed, else why it is not."""
    if (HERE / "node_modules" / "fhir-kit-client").is_dir():
        return None
    if shutil.which("npm") is None:
        return "npm is not installed"
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
                          cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return "npm could not install fhir-kit-client: " + (done.stderr.strip().splitlines() or ["?"])[-1]


def main():
    reason = "node is not installed" if shutil.which("node") is None else install()
    if reason:
        print(f"SKIPPED interop: {reason}")
        return 0
    pki = support.Pki("general-hospital")
    with support.cleanup():
        gateway = support.Lifeline(pki).start()
        environment = {**os.environ, "BASE_URL": gateway.base, "CA_FILE": pki.file("ca.pem"),
                       "CERT_FILE": pki.file("general-hospital.pem"),
                       "KEY_FILE": pki.file("general-hospital.key")}
        return subprocess.run(["node", HERE / "fhir_kit.mjs"], env=environment,
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

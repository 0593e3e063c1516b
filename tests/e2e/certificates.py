"""Certificates made by openssl for one run."""

import subprocess
from pathlib import Path

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True)


class Authority:
    """A CA, and what it signs: NAME.pem with NAME.key."""

    def __init__(self, directory: Path):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.ca = directory / "ca.pem"
        openssl("req", "-x509", *NEW_KEY, "-days", 2, "-subj", "/CN=test-ca",
                "-keyout", directory / "ca.key", "-out", self.ca)

    def sign(self, name: str, days: int = 2) -> "Signed":
        """For 127.0.0.1; negative `days`: expired."""
        made = Signed(self.directory / f"{name}.pem",
                      self.directory / f"{name}.key")
        request = self.directory / f"{name}.csr"
        names = self.directory / f"{name}.ext"
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("req", "-new", *NEW_KEY, "-subj", f"/CN={name}",
                "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca,
                "-CAkey", self.directory / "ca.key", "-CAcreateserial",
                "-days", days, "-extfile", names, "-out", made.cert)
        return made


class Signed:
    def __init__(self, cert: Path, key: Path):
        self.cert, self.key = cert, key

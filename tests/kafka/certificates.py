"""A certificate authority, a broker's and a client's certificate, by the openssl command; for tests, two days long."""
from __future__ import annotations

import pathlib
import subprocess

PASSWORD = "keystore-secret"


def openssl(*args, cwd: pathlib.Path) -> None:
    done = subprocess.run(["openssl", *args], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(args)}:\n{done.stderr}")


def make(folder: pathlib.Path) -> pathlib.Path:
    """ca.pem; server.pem and client.pem (key and chain in one file); {client,server}.{key,crt,p12}; stranger.pem, a CA
    that signed nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=folder)
    for name, alternative in (("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                cwd=folder)
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n", "ascii")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.crt", cwd=folder)
        openssl("pkcs12", "-export", "-in", f"{name}.crt", "-inkey", f"{name}.key", "-certfile", "ca.pem", "-out", f"{name}.p12",
                "-passout", f"pass:{PASSWORD}", cwd=folder)
        (folder / f"{name}.pem").write_text("".join((folder / part).read_text("ascii") for part in
                                                    (f"{name}.key", f"{name}.crt", "ca.pem")), "ascii")
    return folder

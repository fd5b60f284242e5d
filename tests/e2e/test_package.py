#!/usr/bin/python3
"""The Debian package: what is in it, and that it serves as anybody. Prints TAP. Standard library only."""
import contextlib
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from raw_client import BUILD, HTTP_PORT, ROOT, UDP_PORT, print_tap

NOBODY = 65534
FOLDER = tempfile.mkdtemp(prefix="sluice-package-")


def run(*args, **options):
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          check=False, **options)


def path(name):
    return os.path.join(FOLDER, "root", name)


def read(name):
    with (gzip.open if name.endswith(".gz") else open)(path(name), "rt", encoding="utf-8") as file:
        return file.read()


def the_package_builds_and_has_everything():
    result = run(os.path.join(ROOT, "packaging", "build_deb"), "--build", BUILD, "--output", FOLDER)
    assert result.returncode == 0, result.stderr
    package = result.stdout.strip()
    assert run("dpkg-deb", "-x", package, path("")).returncode == 0
    assert run("dpkg-deb", "-e", package, path("DEBIAN")).returncode == 0
    for name in ("usr/bin/sluice", "usr/bin/sluice-client", "usr/bin/sluice-bench",
                 "etc/sluice/sluice.yaml", "lib/systemd/system/sluice.service",
                 "usr/share/man/man1/sluice.1.gz", "usr/share/man/man1/sluice-client.1.gz",
                 "usr/share/man/man1/sluice-bench.1.gz", "usr/share/man/man5/sluice.yaml.5.gz",
                 "usr/share/doc/sluice/copyright", "usr/share/doc/sluice/DEPLOY.md"):
        assert os.path.getsize(path(name)) > 0, name
    assert "/etc/sluice/sluice.yaml" in read("DEBIAN/conffiles")
    assert "libssl3" in read("DEBIAN/control"), read("DEBIAN/control")
    for name in ("postinst", "prerm", "postrm"):
        assert run("sh", "-n", path(f"DEBIAN/{name}")).returncode == 0
    assert run(path("usr/bin/sluice"), "--version").stdout.startswith("sluice ")
    os.chmod(FOLDER, 0o755)


def manual_pages_have_every_option():
    for program in ("sluice", "sluice-client", "sluice-bench"):
        page = read(f"usr/share/man/man1/{program}.1.gz").replace("\\-", "-")
        options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", run(path(f"usr/bin/{program}"), "--help").stdout, re.M)
        assert len(options) > 5
        for option in options:
            assert option in page, f"{program}: {option}"
    keys = read("usr/share/man/man5/sluice.yaml.5.gz").replace("\\-", "-")
    for option in re.findall(r"^  --([\w-]+) \S", run(path("usr/bin/sluice"), "--help").stdout, re.M):
        assert option == "config" or f"\\fB{option.replace('-', '_')}\\fR" in keys, option
    if shutil.which("man"):
        for name in ("man1/sluice.1.gz", "man5/sluice.yaml.5.gz"):
            result = run("man", "--warnings", "-l", path(f"usr/share/man/{name}"),
                         env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="100"))
            assert result.returncode == 0 and not result.stderr, result.stderr


def the_unit_is_valid_and_tight():
    if not shutil.which("systemd-analyze"):
        print("# no systemd-analyze here: not looked at")
        return
    unit = path("lib/systemd/system/sluice.service")
    result = run("systemd-analyze", "verify", "--man=no", "--root", path(""), "sluice.service")
    unknown = [line for line in result.stderr.splitlines()
               if "sluice.service" in line and re.search(r"Unknown|Invalid|Failed to parse", line)]
    assert not unknown, unknown
    result = run("systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", unit)
    last = result.stdout.strip().splitlines()[-1:] if result.stdout else result.stderr
    print(f"# {last}")
    assert result.returncode == 0, last


@contextlib.contextmanager
def service():
    """The extracted server as nobody, with a service manager's socket. @return it and the socket"""
    address = f"\0sluice-package-{os.getpid()}"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(address)
    manager.settimeout(10)
    env = dict(os.environ, NOTIFY_SOCKET="@" + address[1:], WATCHDOG_USEC="2000000")
    process = subprocess.Popen(
        [path("usr/bin/sluice"), "--config", path("etc/sluice/sluice.yaml"), "--listen",
         f"127.0.0.1:{HTTP_PORT}", "--udp-port", str(UDP_PORT), "--workers", "2"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env,
        user=NOBODY, group=NOBODY, extra_groups=[])
    try:
        yield process, manager
    finally:
        process.kill()
        process.communicate()
        manager.close()


def it_serves_unprivileged_and_tells_the_service_manager():
    with service() as (process, manager):
        assert manager.recv(256) == b"READY=1"
        with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/healthz", timeout=5) as reply:
            assert json.load(reply)["status"] == "ok"
        started = time.monotonic()
        for _ in range(3):
            assert manager.recv(256) == b"WATCHDOG=1"
        assert time.monotonic() - started < 6, "the watchdog would have bitten"
        process.terminate()
        while manager.recv(256) != b"STOPPING=1":
            pass
        assert process.wait(10) == 0, process.stderr.read()


def the_container_builds_with_what_the_build_needs():
    with open(os.path.join(ROOT, "dev"), encoding="utf-8") as file:
        script = file.read()
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        words = set(re.split(r"[\s()]+", file.read()))
    packages = []
    for name in ("BUILD_PACKAGES", "PACKAGE_PACKAGES"):
        for block in re.findall(rf"{name}\+?=\(([^)]*)\)", script):
            packages += block.split()
    assert len(packages) > 15
    missing = [name for name in packages if name not in words]
    assert not missing, missing


CASES = [the_package_builds_and_has_everything, manual_pages_have_every_option,
         the_unit_is_valid_and_tight, the_container_builds_with_what_the_build_needs,
         it_serves_unprivileged_and_tells_the_service_manager]


if __name__ == "__main__":
    try:
        sys.exit(1 if print_tap(CASES) else 0)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)

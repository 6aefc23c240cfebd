#!/bin/sh
# Sees to it that the Debian packages which building and testing need are there.  What is there already, from wherever,
# is left alone; as root, or with a sudo that asks nothing, what is missing is installed; otherwise it is named.
set -eu
PYTHON=${PYTHON:-python3}
missing=

need() { missing="$missing $1"; }
command -v gcc >/dev/null || need gcc
command -v make >/dev/null || need make
command -v clang >/dev/null || command -v clang-14 >/dev/null || need clang
ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 || need libclang-rt-14-dev
command -v "$PYTHON" >/dev/null || need python3
"$PYTHON" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
    2>/dev/null || need python3-dev
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
[ -e /etc/ssl/certs/ca-certificates.crt ] || need ca-certificates
[ -e /usr/share/zoneinfo/Europe/Berlin ] || need tzdata
[ -e /usr/include/stdlib.h ] || need libc6-dev
java -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])' || need openjdk-17-jre-headless
command -v mvn >/dev/null || need maven
command -v openssl >/dev/null || need openssl
if command -v pkg-config >/dev/null; then
    for pair in zlib:zlib1g-dev liblz4:liblz4-dev libzstd:libzstd-dev libpcre2-8:libpcre2-dev rdkafka:librdkafka-dev \
                cmocka:libcmocka-dev; do
        pkg-config --exists "${pair%%:*}" || need "${pair#*:}"
    done
else
    need "pkg-config zlib1g-dev liblz4-dev libzstd-dev libpcre2-dev librdkafka-dev libcmocka-dev"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo=sudo
else
    echo "pystream: packages are missing; as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing"
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing

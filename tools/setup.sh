#!/bin/sh
# Installs the Debian packages that building and testing need, and nothing if they are there. Debian 12 and 13.
#   tools/setup.sh [lint] [bench] [oracle] [peers] [aarch64] [armv7]
# With a word also what tools/lint, the benchmarks under tests/bench (peers: the libraries that some of them are compared
# with), the tests under tests/oracle or --config=<cpu> need.
set -eu

packages="bazel-bootstrap bazel-rules-cc bazel-rules-java bazel-skylib file googletest libbenchmark-dev libcli11-dev
  libeigen3-dev libexpected-dev libtomlplusplus-dev libuv1-dev nlohmann-json3-dev protobuf-compiler zip"
foreign=""
for word in "$@"; do
  case $word in
    lint) packages="$packages clang-format clang-tidy python3" ;;
    bench) packages="$packages linux-perf rt-tests" ;;
    oracle) packages="$packages can-utils gpsd gpsd-clients librandom123-dev linux-perf tshark" ;;
    peers) packages="$packages libdlib-dev libquantlib0-dev libtorch-dev python3-numpy" ;;
    aarch64) foreign="$foreign arm64"; packages="$packages g++-aarch64-linux-gnu libuv1-dev:arm64 qemu-user" ;;
    armv7) foreign="$foreign armhf"; packages="$packages g++-arm-linux-gnueabihf libuv1-dev:armhf qemu-user" ;;
    *) echo "setup.sh: unknown word \"$word\"; know: lint bench oracle peers aarch64 armv7" >&2; exit 1 ;;
  esac
done

command -v dpkg-query >/dev/null || {
  echo "setup.sh: this is not Debian; install Bazel 7 and build with MODULE.bazel" >&2
  exit 1
}
missing=""
for package in $packages; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  # A package of two architectures answers twice.
  case $status in "install ok installed"*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "setup.sh: not root, so these cannot be installed:$missing; run: sudo tools/setup.sh $*" >&2
  exit 1
fi
echo "setup.sh: installing$missing" >&2
for architecture in $foreign; do dpkg --add-architecture "$architecture"; done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# A stale list is good enough as long as the packages can be had.
apt-get update -q >"$log" 2>&1 || true
# shellcheck disable=SC2086
if ! apt-get install -y -q --no-install-recommends $missing >>"$log" 2>&1; then
  reason=$(grep -E '^(E|Err)' "$log" | tail -n 1)
  echo "setup.sh: apt-get could not install the packages (${reason:-no reason given}); is there a network?" >&2
  exit 1
fi
# A running Bazel server does not look at the system's libraries again.
cd "$(dirname "$0")/.." && bazel shutdown

# Installs through apt what the tests talk to and is missing: OpenSSH's server and client, nginx, Prometheus, PostgreSQL, sqlite3,
# curl, jq, busybox as one more target shell, strace, which makes a disk's sync fail, and Chromium, which opens reports. The tests
# start their own servers: those that a package brings along aren't needed.
set -eu
wanted=""
need() {
  package=$1; shift
  for program in "$@"; do
    [ ! -x "$program" ] || return 0
    ! command -v "$program" >/dev/null 2>&1 || return 0
  done
  wanted="$wanted $package"
}
need openssh-server sshd /usr/sbin/sshd
need nginx-light nginx /usr/sbin/nginx
need prometheus prometheus
need postgresql initdb /usr/lib/postgresql/*/bin/initdb
need sqlite3 sqlite3
need curl curl
need openssl openssl
need openssh-client ssh-keygen
need openssh-client ssh-agent
need jq jq
need busybox busybox
need strace strace
need chromium chromium
[ -n "$wanted" ] || exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
echo "installing for the tests:$wanted" >&2
# Nothing is started while packages are set up, unless this machine says itself what may be.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $wanted >/dev/null

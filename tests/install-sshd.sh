# Installs through apt what the tests talk to and is missing: OpenSSH's server, busybox as one more target shell, and
# strace, which makes a disk's sync fail.
set -eu
wanted=""
command -v sshd >/dev/null 2>&1 || [ -x /usr/sbin/sshd ] || wanted="openssh-server"
command -v busybox >/dev/null 2>&1 || wanted="$wanted busybox"
command -v strace >/dev/null 2>&1 || wanted="$wanted strace"
[ -n "$wanted" ] || exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
echo "installing for the tests: $wanted" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $wanted >/dev/null

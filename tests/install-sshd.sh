# Installs OpenSSH's server through apt where it is missing: the tests talk to a real one.
set -eu
command -v sshd >/dev/null 2>&1 || [ -x /usr/sbin/sshd ] && exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
echo "installing openssh-server for the tests" >&2
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends openssh-server >/dev/null

# Brings prometheus-node-exporter into the peers' environment: `install.sh DIRECTORY`. It is unpacked there, not installed, so that
# nothing is started and nothing of this machine changes. Without it the benchmarks have no figure for it, and say so.
set -eu
to=$1/node_exporter
mkdir -p "$to"
cd "$to"
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
fetch() { apt-get download -qq prometheus-node-exporter >/dev/null 2>&1; }
if ! fetch; then
  $as_root apt-get update -qq || :
  fetch || { echo "node_exporter: no package of it here; its rows will have no figure" >&2; exit 0; }
fi
dpkg-deb -x prometheus-node-exporter_*.deb .
rm -f prometheus-node-exporter_*.deb

#!/usr/bin/env bash
# Builds the real Kubernetes 1.20 API server and controller manager from Debian's source package, once, into a
# cache outside the clone, and the operator of the acceptance tests (test/kube/operator) with the client-go of that
# package. Needs root (apt-get) the first time; about five minutes on two cores.
#
#   scripts/build-kubernetes.sh             builds when needed and prints the folder of the binaries
#   scripts/build-kubernetes.sh --check     only prints the folder; exit status 1 when nothing is built yet
#   scripts/build-kubernetes.sh --operator  only prints where this clone's operator is; 1 when it is not built yet
#   scripts/build-kubernetes.sh --e2e       also builds the suite of end-to-end tests and its kubectl; a quarter of an hour
set -euo pipefail

cache="${ORRERY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orrery}/kubernetes-1.20"
bin="$cache/bin"
# Named after what it was built from, so a changed source is a new binary.
operator_source="$(cd "$(dirname "$0")/../test/kube/operator" && pwd)"
operator="$bin/operator-$(cat "$operator_source"/*.go | sha256sum | cut -c 1-12)"

if [ "${1:-}" = "--operator" ]; then
  echo "$operator"
  [ -x "$operator" ]
  exit
fi

wants_e2e=""
[ "${1:-}" = "--e2e" ] && wants_e2e=yes

served() { [ -x "$bin/kube-apiserver" ] && [ -x "$bin/kube-controller-manager" ] && command -v etcd >/dev/null; }
if served && { [ "${1:-}" = "--check" ] || [ -x "$operator" ]; } &&
  { [ -z "$wants_e2e" ] || { [ -x "$bin/e2e.test" ] && [ -x "$bin/kubectl" ]; }; }; then
  echo "$bin"
  exit 0
fi
[ "${1:-}" = "--check" ] && exit 1

say() { echo "$@" >&2; }
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

source="$cache/source"
if ! served || [ ! -f "$source/.patched" ] || ! command -v go >/dev/null; then
  say "Installing the tools and the source package ..."
  if ! grep -rqs '^Types:.*deb-src' /etc/apt/sources.list.d && ! grep -qs '^deb-src' /etc/apt/sources.list; then
    sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/debian-src.sources
  fi
  apt-get update >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    golang-go golang-github-modern-go-reflect2-dev jq rsync make etcd-server dpkg-dev >&2
fi

if [ ! -f "$source/.patched" ]; then
  rm -rf "$source" "$cache/download"
  mkdir -p "$source" "$cache/download"
  (cd "$cache/download" && apt-get source --download-only kubernetes >&2)
  tar -xzf "$cache"/download/kubernetes_*.orig.tar.gz -C "$source" --strip-components=1
  # Two vendored libraries misbehave when built with Go 1.19: this one crashes ...
  cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.go "$source/vendor/github.com/modern-go/reflect2/"
  rm -f "$source"/vendor/github.com/modern-go/reflect2/{go_below_17,go_above_17}.go
  # ... and this one takes "" and 0 for null.
  sed -i 's/if data == nil || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data)) {/if data == nil {/' \
    "$source/vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go" \
    "$source/vendor/github.com/go-openapi/validate/type.go"
  touch "$source/.patched"
fi

cat >"$cache/version" <<EOF
KUBE_GIT_COMMIT='faecb196815e248d3ecfb03c680a4507229c2a56'
KUBE_GIT_TREE_STATE='clean'
KUBE_GIT_VERSION='v1.20.2'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
EOF

go_here() { GO111MODULE=off GOPATH="$source/.go" GOCACHE="$cache/gocache" GOFLAGS='' CGO_ENABLED=0 "$@"; }

say "Building ..."
mkdir -p "$source/.go/src/k8s.io"
ln -sfn ../../.. "$source/.go/src/k8s.io/kubernetes"
cd "$source/.go/src/k8s.io/kubernetes"
mkdir -p "$bin"
if [ ! -x "$bin/kube-apiserver" ] || [ ! -x "$bin/kube-controller-manager" ]; then
  KUBE_GIT_VERSION_FILE="$cache/version" go_here make WHAT="cmd/kube-apiserver cmd/kube-controller-manager" >&2
  cp "$source"/_output/local/bin/linux/*/kube-apiserver "$source"/_output/local/bin/linux/*/kube-controller-manager "$bin/"
fi
if [ ! -x "$operator" ]; then
  # Inside of that tree, where its vendored libraries are found.
  rm -rf "$source/test/orrery-operator" "$bin"/operator-*
  mkdir "$source/test/orrery-operator"
  cp "$operator_source"/*.go "$source/test/orrery-operator/"
  go_here go build -trimpath -ldflags '-s -w' -o "$operator.new" k8s.io/kubernetes/test/orrery-operator >&2
  mv "$operator.new" "$operator"
fi
if [ -n "$wants_e2e" ] && [ ! -x "$bin/kubectl" ]; then
  KUBE_GIT_VERSION_FILE="$cache/version" go_here make WHAT=cmd/kubectl >&2
  cp "$source"/_output/local/bin/linux/*/kubectl "$bin/"
fi
if [ -n "$wants_e2e" ] && [ ! -x "$bin/e2e.test" ]; then
  version=k8s.io/component-base/version
  go_here go test -c -o "$bin/e2e.test" k8s.io/kubernetes/test/e2e \
    -ldflags "-X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" >&2
fi
"$bin/kube-apiserver" --version >&2
echo "$bin"

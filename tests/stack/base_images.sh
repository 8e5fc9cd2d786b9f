#!/bin/bash
# Makes the two images that ours are built on and beside, where no image registry can be reached, from Debian's packages:
# python:3.11-slim and redis:7-alpine by name, with what the Dockerfiles and docker-compose.yml expect of those.
# usage: base_images.sh NAME      (as root)
set -euo pipefail
# shellcheck source=tests/stack/engine.sh
source "$(dirname "$0")/engine.sh"

suite=bookworm # the Debian release whose python3 is 3.11
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
python_image=python:3.11-slim redis_image=redis:7-alpine

mirror=() # the machine's own where it is a Debian; else debootstrap's default
if grep -qx 'ID=debian' /etc/os-release; then
  mapfile -t mirror < <(sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*\] *\)\?\([^ ]*\) .* main.*/\2/p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
fi

bootstrap() { # in two steps, so that dpkg can be told in between not to flush every file to the disk, nor to write manuals
  debootstrap --foreign --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
    "$suite" "$root" "${mirror[@]}" || return
  install -d "$root/etc/dpkg/dpkg.cfg.d"
  printf '%s\n' force-unsafe-io path-exclude=/usr/share/{man,info,locale}/'*' 'path-exclude=/usr/share/doc/*' \
    >"$root/etc/dpkg/dpkg.cfg.d/slim"
  chroot "$root" /debootstrap/debootstrap --second-stage
}

make_python() { # as small as the official slim image
  bootstrap >"$stack_cache/debootstrap.log" 2>&1 || { tail -n 5 "$stack_cache/debootstrap.log" >&2; fail "debootstrap failed"; }
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale} "$root"/var/log/* \
    "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
  ln -sf python3 "$root/usr/bin/python"
  # A network that signs its own certificates is known to the machine; what is built on the image must know it too.
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  tar -C "$root" -c . | docker import --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    - "$python_image" >/dev/null
}

make_redis() { # the official image runs as 999:1000 and owns /data
  docker image inspect "$python_image" >/dev/null 2>&1 || make_python
  docker build --quiet --tag "$redis_image" - >/dev/null <<EOF
FROM $python_image
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
RUN groupmod -g 1000 redis && usermod -u 999 redis && install -d -o 999 -g 1000 /data
USER 999:1000
WORKDIR /data
VOLUME /data
EXPOSE 6379
CMD ["redis-server", "--protected-mode", "no"]
EOF
}

mkdir -p "$stack_cache"
use_engine
command -v debootstrap >/dev/null || install_engine debootstrap
case "${1:?usage: base_images.sh NAME}" in
  "$python_image") make_python ;;
  "$redis_image") make_redis ;;
  *) fail "do not know how to make $1" ;;
esac

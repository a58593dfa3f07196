# shellcheck shell=bash disable=SC2034
# What the scripts in bin/ share: where things are, how a release is built, how they speak. Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/tertulia
tools_dir=${TERTULIA_TOOLS:-$cache_dir/tools}
shared_target_dir=${TERTULIA_TARGET:-$cache_dir/target}
chromium=${CHROMIUM:-/usr/bin/chromium}
# The server refuses variables of its prefix that it does not know, and these two are not for it.
export -n TERTULIA_TOOLS TERTULIA_TARGET 2>/dev/null || true

target_dir=${CARGO_TARGET_DIR:-$root/target}
[[ $target_dir == /* ]] || target_dir=$root/$target_dir
# The site stays in the clone, whatever the target directory: build.rs looks for it there.
site_dir=$root/target/site/release
server=$target_dir/release/tertulia
stamp=$target_dir/release/.tertulia-stamp

PATH=$tools_dir/bin:$tools_dir/npm/node_modules/.bin:$PATH
export PATH

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The comment at the top of a script is its --help, up to what is meant for shellcheck.
help_and_exit() {
    awk 'NR > 1 && (!/^#/ || /^# shellcheck /) { exit } NR > 1 { sub(/^# ?/, ""); print }' "$root/bin/${0##*/}"
    exit 0
}

usage_error() {
    printf '%s: %s; try bin/%s --help\n' "${0##*/}" "$*" "${0##*/}" >&2
    exit 2
}

check_port() {
    if [[ ! $1 =~ ^[0-9]{1,5}$ ]] || ((10#$1 < 1 || 10#$1 > 65535)); then
        usage_error "'$1' is not a port from 1 to 65535"
    fi
}

set_up_for() { TERTULIA_TOOLS=$tools_dir CHROMIUM=$chromium "$root/bin/setup" --for "$1"; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The first port from $1 on that is free together with the $2 - 1 (default 0) after it.
free_ports_from() {
    local first=$1 count=${2:-1} port=$1
    while ((port < first + count)); do
        ((port <= 65535)) || die "no $count free ports in a row from $1 on"
        port_is_free "$port" || first=$((port + 1))
        ((port += 1))
    done
    echo "$first"
}

# CI clones a fresh tree each time; one target directory beside the tools saves it most of the compiling.
use_shared_target_in_ci() {
    [[ ${CI:-} == true && -z ${CARGO_TARGET_DIR:-} ]] || return 0
    if ! mkdir -p "$shared_target_dir" 2>/dev/null || [[ ! -w $shared_target_dir ]]; then
        say "cannot write to $shared_target_dir, so this run compiles everything in $target_dir"
        return 0
    fi
    export CARGO_TARGET_DIR=$shared_target_dir CARGO_INCREMENTAL=0
    target_dir=$shared_target_dir
    server=$target_dir/release/tertulia
    stamp=$target_dir/release/.tertulia-stamp
}

# Release builds forget where they were made: a panic's message names a source file, and the WASM goes to everybody.
# Only release builds, so that the debug profile has the flags of a bare `cargo test` or an editor and shares its cache
# with them. Of two matching prefixes the later one wins.
release_flags() {
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} separator=$'\x1f' flags
    flags="--remap-path-prefix=$HOME=~${separator}--remap-path-prefix=$cargo_home=cargo"
    flags+="${separator}--remap-path-prefix=$target_dir=target"
    if [[ -n ${CARGO_ENCODED_RUSTFLAGS:-} ]]; then
        flags+=$separator$CARGO_ENCODED_RUSTFLAGS
    elif [[ -n ${RUSTFLAGS:-} ]]; then
        local own
        read -ra own <<<"$RUSTFLAGS"
        flags+=$(printf '\x1f%s' "${own[@]}")
    fi
    printf '%s' "$flags"
}

# One line for everything a release is made of. Contents, not times: a checkout changes times without changing a byte.
# Of crates/ only the three that the app depends on; the others are tools, and nothing may depend on them (tidy).
release_fingerprint() {
    local inputs=() path
    for path in src crates/{protocol,chat,timeline} style public migrations locales Cargo.toml Cargo.lock build.rs \
        rust-toolchain.toml .cargo bin/lib.sh tools/package-lock.json; do
        [[ ! -e $path ]] || inputs+=("$path")
    done
    {
        printf '%s\n' "$root" "$(release_flags)"
        find "${inputs[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d' ' -f1
}

# Says which build a stamp stands for: its inputs, and the very binary that came out (a bare cargo build replaces it).
release_stamp() { printf '%s %s\n' "$1" "$(stat -c '%s %.9Y' "$server" 2>/dev/null || stat -f '%z %Fm' "$server")"; }

release_is_current() {
    [[ -x $server && -f $site_dir/pkg/tertulia.wasm && -f $stamp ]] &&
        [[ $(<"$stamp") == "$(release_stamp "$1")" ]]
}

# Builds $server with the site inside it, unless that is what is there already.
build_release() {
    local fingerprint
    fingerprint=$(release_fingerprint)
    if release_is_current "$fingerprint"; then
        return 0
    fi
    say "building the release (minutes the first time): the page as WASM, then the server with the page inside"
    rm -f "$stamp"
    # What several parts share is numbered, so a part of an older build would stay and be served with this one.
    rm -rf "$site_dir/pkg"
    CARGO_ENCODED_RUSTFLAGS=$(release_flags) LEPTOS_SITE_ROOT=target/site/release \
        cargo leptos build --release --split -P --cargo-locked
    [[ -x $server ]] || die "the build ended without $server"
    release_stamp "$fingerprint" >"$stamp"
    say "built $server"
}

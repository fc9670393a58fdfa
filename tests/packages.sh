# Sourced by tests/run and gateway/demo: Debian packages, installed only when they are missing.

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libssl-dev libyajl-dev
    libcurl4-openssl-dev node-llhttp libsqlite3-dev libzstd-dev zlib1g-dev"
PACKAGES_DEMO="openssl curl ca-certificates python3"
PACKAGES_TEST="libcmocka-dev python3 clang clang-format libclang-rt-14-dev ccache gcovr"
PACKAGES_INTEROP="nodejs npm"
PACKAGES_HAPI="openjdk-17-jdk-headless maven"

# missing_packages PACKAGE...: those that dpkg does not have.
missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s ' "$package"
    done
}

# ensure_packages PACKAGE...: installs what is missing, or says what to install and returns 1.
ensure_packages() {
    local missing as_root=""
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not Debian: please see to it that these are there: $*" >&2
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            echo "Missing packages, and neither root nor sudo to install them.  Please run:" >&2
            echo "  apt-get install --no-install-recommends $missing" >&2
            return 1
        fi
        as_root="sudo"
    fi
    echo "Installing: $missing"
    # The list of packages may be older than the mirror: fetch it anew only when it matters.
    # shellcheck disable=SC2086
    if ! install_words "$as_root" $missing >/dev/null 2>&1; then
        $as_root apt-get update -qq >&2 && install_words "$as_root" $missing >&2
    fi
}

install_words() {
    local as_root=$1
    shift
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "$@"
}

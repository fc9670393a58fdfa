#!/usr/bin/env bash
# Development certificates: a CA, the gateway's server certificate, an EHR's server certificate, client
# certificates by name, and the Ed25519 key that signs the audit log.  What exists is kept, so it can be
# run again to add a client.  For trying things only: the CA's key lies beside what it signs.
#
#   certs/make-dev-certs.sh [-d FOLDER] [CLIENT-NAME...]        (default folder: certs/dev)
set -euo pipefail

usage() {
    sed -n '2,6s/^# \{0,1\}//p' "$0"
}

folder="$(cd "$(dirname "$0")" && pwd)/dev"
days=825
while getopts "d:h" option; do
    case $option in
    d) folder=$OPTARG ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
clients=("$@")
[ ${#clients[@]} -gt 0 ] || clients=(general-hospital)

command -v openssl >/dev/null || { echo "openssl is missing: apt-get install openssl" >&2; exit 1; }
umask 077
mkdir -p "$folder"
cd "$folder"

# new_key NAME: a P-256 key, unless there is one.
new_key() {
    [ -s "$1.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# sign NAME SUBJECT EXTENSIONS: a certificate by the CA, unless there is one that is still good.
sign() {
    local name=$1 subject=$2 extensions=$3
    new_key "$name"
    if [ -s "$name.pem" ] && openssl x509 -in "$name.pem" -checkend 86400 -noout >/dev/null &&
        openssl verify -CAfile ca.pem "$name.pem" >/dev/null 2>&1; then
        return
    fi
    openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
    printf '%s\n' "$extensions" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 \
        -days "$days" -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    rm -f "$name.csr" "$name.ext"
    echo "made $folder/$name.pem"
}

server_extensions() {
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
    printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' "$1"
}

client_extensions() {
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
    printf 'extendedKeyUsage=clientAuth\nsubjectAltName=DNS:%s.example\n' "$1"
}

if [ ! -s ca.pem ] || ! openssl x509 -in ca.pem -checkend 86400 -noout >/dev/null; then
    new_key ca
    openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj "/CN=Lifeline development CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
    echo "made $folder/ca.pem"
fi

local_names="DNS:localhost,DNS:gateway,DNS:lifeline.example,IP:127.0.0.1,IP:::1"
sign server "/CN=lifeline.example" "$(server_extensions "$local_names")"
sign ehr "/CN=ehr.example" "$(server_extensions "DNS:localhost,DNS:ehr,DNS:ehr.example,IP:127.0.0.1,IP:::1")"
for name in "${clients[@]}"; do
    case $name in
    *[!a-z0-9.-]* | "") echo "client names hold a-z, 0-9, '-' and '.': '$name'" >&2; exit 2 ;;
    ca | server | ehr | audit | audit-public) echo "'$name' is taken" >&2; exit 2 ;;
    esac
    sign "$name" "/CN=$name" "$(client_extensions "$name")"
done

if [ ! -s audit.key ]; then
    openssl genpkey -algorithm ED25519 -out audit.key
    echo "made $folder/audit.key"
fi
openssl pkey -in audit.key -pubout -out audit-public.pem

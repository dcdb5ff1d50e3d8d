#!/bin/sh
# Renders the configuration into a folder of its own and becomes nginx. Works for any user.
#
#   API_SERVERS    host:port of the API copies, separated by spaces (default 127.0.0.1:3000); names are looked up again
#                  every few seconds, and nginx reloads itself when one has got another address
#   LISTEN         what nginx listens on: a port or address:port (default 127.0.0.1:8080)
#   RUN_DIR        folder for the rendered configuration, process id and spools (default /tmp/studymate-nginx)
#   TLS_CERTIFICATE, TLS_KEY   files in PEM form: LISTEN speaks TLS (default: plain HTTP)
#   CONNECTIONS_PER_ADDRESS    requests of one address at the same time (default 512)
#   TRUSTED_PROXIES   addresses or networks of proxies in front, separated by spaces: what they say of a caller's address
#                  (X-Forwarded-For) and of TLS (X-Forwarded-Proto) counts (default: none)
#   BROTLI_MODULE  the brotli filter module; empty for none (default: Debian's, where it is installed)
#
# `start.sh -t` checks the configuration and ends.
set -eu

source_dir=$(cd "$(dirname "$0")" && pwd)
servers=${API_SERVERS:-127.0.0.1:3000}
listen=${LISTEN:-127.0.0.1:8080}
run_dir=${RUN_DIR:-/tmp/studymate-nginx}
brotli_module=${BROTLI_MODULE-/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so}

certificate=${TLS_CERTIFICATE:-}
key=${TLS_KEY:-}
connections=${CONNECTIONS_PER_ADDRESS:-512}
proxies=${TRUSTED_PROXIES:-}

fail() {
    echo "start.sh: $1" >&2
    exit 1
}
# The values become part of the configuration, so nothing else may slip in with them.
for server in $servers; do
    case $server in
        *[!A-Za-z0-9.:_-]* | *:*:* | :* | *: | *:*[!0-9]*) ;;
        *:*) continue ;;
    esac
    fail "API_SERVERS=\"$servers\": give host:port, separated by spaces"
done
[ -n "$(echo $servers)" ] || fail 'API_SERVERS names no server'
case $listen in *[!0-9.:]* | '') fail "LISTEN=\"$listen\": give a port or address:port" ;; esac
case $connections in *[!0-9]* | 0*) fail "CONNECTIONS_PER_ADDRESS=\"$connections\": give a number above 0" ;; esac
case $proxies in *[!0-9A-Fa-f.:/\ ]*) fail "TRUSTED_PROXIES=\"$proxies\": give addresses or networks, separated by spaces" ;; esac
case $brotli_module in *[!A-Za-z0-9./_-]*) fail "BROTLI_MODULE=\"$brotli_module\": give a plain path" ;; esac

mkdir -p "$run_dir"
# The default has a name that others may guess, and a key may lie in it.
if [ -L "$run_dir" ] || [ ! -O "$run_dir" ]; then
    fail "RUN_DIR=\"$run_dir\": belongs to somebody else; give a folder of your own"
fi
mkdir -p "$run_dir/temp"
cp -f "$source_dir/nginx.conf" "$source_dir"/parts/*.conf "$run_dir/"
if [ -n "$certificate$key" ]; then
    [ -r "$certificate" ] || fail "TLS_CERTIFICATE=\"$certificate\": cannot be read"
    [ -r "$key" ] || fail "TLS_KEY=\"$key\": cannot be read"
    # Beside the configuration, under names of our own: a path may hold anything.
    (umask 077 && cp -f "$certificate" "$run_dir/certificate.pem" && cp -f "$key" "$run_dir/key.pem")
    listen="$listen ssl http2"
else
    rm -f "$run_dir/certificate.pem" "$run_dir/key.pem"
    : >"$run_dir/tls.conf"
fi

{
    echo 'real_ip_header X-Forwarded-For;'
    # The last address that no trusted proxy has: whatever stands before it the caller may have made up.
    echo 'real_ip_recursive on;'
    for proxy in $proxies; do echo "set_real_ip_from $proxy;"; done
    echo 'geo $realip_remote_addr $is_trusted_proxy {'
    echo '    default 0;'
    for proxy in $proxies; do echo "    $proxy 1;"; done
    echo '}'
} >"$run_dir/proxies.conf"

# The server lines for the addresses that API_SERVERS has now. Three refused connections and a copy is left alone for
# 10 s: open-source nginx has no active checks. A name without an address is left out, because nginx would not start.
server_lines() {
    for server in $servers; do
        host=${server%:*}
        addresses=$host
        if is_name "$host"; then addresses=$(getent ahostsv4 "$host" | sed 's/ .*//' | sort -u); fi
        for address in $addresses; do
            printf ' server %s:%s max_fails=3 fail_timeout=10s;' "$address" "${server##*:}"
        done
    done
}
# Without getent (it comes with the C library of Linux) nginx looks the names up itself, once.
is_name() {
    case $1 in *[!0-9.]*) command -v getent >/dev/null ;; *) false ;; esac
}
# Replaced whole, so that nginx never reads half of it.
render_gateway() {
    sed -e "s|\${UPSTREAM_SERVERS}|$1|" -e "s|\${LISTEN}|$listen|" -e "s|\${CONNECTIONS}|$connections|" -e 1d \
        "$source_dir/gateway.conf.template" >"$run_dir/gateway.conf.new"
    mv -f "$run_dir/gateway.conf.new" "$run_dir/gateway.conf"
}
# Containers that are made anew get other addresses. Ends with nginx, which has this script's process id by then.
follow_names() {
    while sleep 5 && kill -0 $$ 2>/dev/null; do
        now=$(server_lines)
        # No address at all is a fault of the name service sooner than of every copy.
        if [ -n "$now" ] && [ "$now" != "$lines" ]; then
            lines=$now
            render_gateway "$lines"
            kill -HUP $$
        fi
    done
}

lines=$(server_lines)
# None is there yet: every request is refused, with an answer in our form, until one is.
render_gateway "${lines:- server 127.0.0.1:1 down;}"
if [ -n "$brotli_module" ] && [ -f "$brotli_module" ]; then
    echo "load_module $brotli_module;" >"$run_dir/modules.conf"
else
    : >"$run_dir/modules.conf"
    : >"$run_dir/brotli.conf"
fi

# Debian keeps servers where a plain user's PATH does not look.
PATH="$PATH:/usr/sbin:/usr/local/sbin"
if [ $# -eq 0 ]; then
    for server in $servers; do
        if is_name "${server%:*}"; then
            follow_names &
            break
        fi
    done
fi
exec nginx -p "$run_dir" -c "$run_dir/nginx.conf" -e stderr "$@"

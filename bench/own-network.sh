#!/bin/sh
# Runs a command in the network namespace it was started in, with loopback up and enough ports for outgoing sockets.
set -eu
ip link set lo up
echo 10000 65535 > /proc/sys/net/ipv4/ip_local_port_range
exec "$@"

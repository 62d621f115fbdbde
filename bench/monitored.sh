#!/bin/sh
# What metrics and records of sessions cost a datagram: CPU and bytes allocated, of a router that is scraped each second and
# writes a record of each session, against one that does neither. See monitored.py.
#   ./monitored.sh [ROUNDS]
exec "$(dirname "$0")/million.sh" monitored "${1:-10}"

#!/bin/sh
# What `router top` costs a router with 100,000 UDP sessions open: p99 and CPU of an echo with and without it, CPU of top
# itself. See top.py.
#   ./top.sh [ROUNDS]
exec "$(dirname "$0")/million.sh" top "${1:-10}"

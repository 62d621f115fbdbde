#!/bin/sh
# What a scrape costs a router with 100,000 UDP sessions open: p99 and CPU of an echo with and without a scrape a second, size
# and time of a scrape. See scrape.py.
#   ./scrape.sh [ROUNDS]
exec "$(dirname "$0")/million.sh" scrape "${1:-10}"

#!/bin/sh
# From SIGTERM until /ready says no, with sessions open and traffic. See sigterm.py.
#   ./sigterm.sh [ROUNDS]
exec "$(dirname "$0")/million.sh" sigterm "${1:-20}"

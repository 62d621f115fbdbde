#!/bin/sh
# What looking through a million UDP sessions takes, and what an established session feels meanwhile: a sorted page of
# /sessions, and one session by its id. See sweep.py.
#   ./sweep.sh [SESSIONS [ROUNDS [LOOPS]]]
exec "$(dirname "$0")/million.sh" sweep "$@"

#!/usr/bin/env bash
# Kills a program that logs, and resumes its log, a thousand times (or as often as the first argument says);
# then TensorBoard must show each curve whole. Takes minutes; `tests/run` does two hundred of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export MODELPULSE_KILL_CYCLES=${1:-1000}
exec tests/run --test writer kill:: -- --nocapture

#!/usr/bin/env bash
# The monitor under load for ten minutes, or for so many seconds:
#   tests/soak.sh [SECONDS]
# Scrapes, observations with labels that come late, predictions, evaluations and an alert that comes and goes; fails where an
# answer is not as it must be, where something that was acknowledged is not there afterwards, or where memory grows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export MODELPULSE_SOAK_SECONDS=${1:-600}
exec tests/run --test monitor soak:: -- --nocapture

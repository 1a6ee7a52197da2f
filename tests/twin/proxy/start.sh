#!/bin/bash
# Stands for the program that the instance would run: nothing runs on the emulator.
set -euo pipefail
echo "proxy for $1 in $2 as $3"

#!/bin/sh
# Starts MLflow on what its environment and its secrets say; `upgrade` makes or updates its tables instead.
#
# No password is on a command line or in the environment: libpq reads it from a file that only this user reads.
set -eu
umask 077

secrets=${MLFLOW_KIT_SECRETS:-/run/secrets}
scratch=${MLFLOW_KIT_SCRATCH:-/tmp}

fail() {
    echo "serve: $1" >&2
    exit 78
}

[ -r "$secrets/database_password" ] || fail "$secrets/database_password cannot be read by user $(id -u): is KIT_OWNER in .env its owner?"
[ -s "$secrets/database_password" ] || fail "secrets/database_password is empty: put the password of the database into it"

# In such a file, colons and backslashes are written with a backslash.
PGPASSFILE=$scratch/pgpass-$(id -u)
export PGPASSFILE
{
    printf '*:*:*:*:'
    head -n 1 "$secrets/database_password" | sed 's/[\\:]/\\&/g'
} > "$PGPASSFILE"

if [ -s "$secrets/database_ca.pem" ]; then
    export PGSSLROOTCERT="$secrets/database_ca.pem"
elif [ "${PGSSLMODE:-}" = verify-full ]; then
    export PGSSLROOTCERT=system
fi

# The driver is named: without it, SQLAlchemy takes one that is not installed.
database="postgresql+psycopg2:///$PGDATABASE"

if [ -s "$secrets/aws_credentials" ]; then
    export AWS_SHARED_CREDENTIALS_FILE="$secrets/aws_credentials"
fi
if [ -s "$secrets/azure_connection_string" ]; then
    # MLflow takes it from nowhere else. It is in the environment of this process only.
    AZURE_STORAGE_CONNECTION_STRING=$(head -n 1 "$secrets/azure_connection_string")
    export AZURE_STORAGE_CONNECTION_STRING
fi

case ${1:-serve} in
upgrade)
    exec mlflow db upgrade "$database"
    ;;
serve)
    if [ "$MLFLOW_KIT_UPLOADS" = direct ]; then
        set -- --no-serve-artifacts --default-artifact-root "$MLFLOW_KIT_ARTIFACTS"
    else
        set -- --serve-artifacts --artifacts-destination "$MLFLOW_KIT_ARTIFACTS" --default-artifact-root mlflow-artifacts:/
    fi
    exec mlflow server --backend-store-uri "$database" "$@" \
        --host "${MLFLOW_KIT_HOST:-0.0.0.0}" --port "${MLFLOW_KIT_PORT:-5000}" --workers "$MLFLOW_KIT_WORKERS"
    ;;
*)
    fail "unknown word $1: serve or upgrade"
    ;;
esac

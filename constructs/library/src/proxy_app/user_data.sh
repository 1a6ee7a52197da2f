
# Everything above is what the stack knows; everything below is the same on every instance. No package manager is used,
# so neither a held dpkg lock nor an unreachable mirror can keep the proxy from starting.
set -euo pipefail
umask 027

# PROXY_ROOT and PROXY_METADATA are empty on an instance; tests set them.
readonly ROOT="${PROXY_ROOT:-}"
readonly METADATA="${PROXY_METADATA:-http://169.254.169.254}"
readonly LOG="$ROOT/var/log/user-data.log"
readonly HOME_DIRECTORY="$ROOT/opt/mlflow-proxy"
mkdir -p "$(dirname "$LOG")" "$HOME_DIRECTORY" "$ROOT/etc/systemd/system"
exec >>"$LOG" 2>&1

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

# A fresh role is not known everywhere at once: what is refused now may be granted in a few seconds.
fetch() { curl --silent --show-error --fail --retry 12 --retry-delay 5 --retry-all-errors --max-time 300 "$@"; }

metadata() {
  local token
  token="$(fetch --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/latest/api/token")"
  printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$token" | fetch --config - "$METADATA/latest/$1"
}

field() { sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p"; }

# Calls an AWS service with the instance's credentials. They reach curl on its standard input, so that no process list
# and no log ever shows them.
call_aws() {
  local service="$1" role document
  shift
  role="$(metadata meta-data/iam/security-credentials/)"
  document="$(metadata "meta-data/iam/security-credentials/$role")"
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' \
    "$(field AccessKeyId <<<"$document")" "$(field SecretAccessKey <<<"$document")" "$(field Token <<<"$document")" |
    fetch --aws-sigv4 "aws:amz:$REGION:$service" --config - "$@"
}

signal() {
  say "signal $1 to $SIGNAL_RESOURCE"
  call_aws cloudformation "https://cloudformation.$REGION.$URL_SUFFIX/" \
    --data-urlencode Action=SignalResource --data-urlencode Version=2010-05-15 \
    --data-urlencode "StackName=$STACK_NAME" --data-urlencode "LogicalResourceId=$SIGNAL_RESOURCE" \
    --data-urlencode "UniqueId=$INSTANCE_ID" --data-urlencode "Status=$1" --output /dev/null
}

logs() {
  call_aws logs "https://logs.$REGION.$URL_SUFFIX/" --header 'Content-Type: application/x-amz-json-1.1' \
    --header "X-Amz-Target: Logs_20140328.$1" --data "@$2" --output /dev/null
}

# The last lines of this log as events of a stream of their own, so that they outlive the instance.
ship_log() {
  local stream="boot/$INSTANCE_ID" body="$HOME_DIRECTORY/boot-log.json"
  printf '{"logGroupName":"%s","logStreamName":"%s"}' "$LOG_GROUP" "$stream" >"$body"
  logs CreateLogStream "$body" || true
  tail -n 200 "$LOG" | tr -d '\000-\010\013-\037' | cut -c 1-2000 | iconv -c -f UTF-8 -t UTF-8 |
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/ /g' |
    awk -v group="$LOG_GROUP" -v stream="$stream" -v now="$(date +%s)000" '
      BEGIN { printf "{\"logGroupName\":\"%s\",\"logStreamName\":\"%s\",\"logEvents\":[", group, stream }
      NF { printf "%s{\"timestamp\":%s,\"message\":\"%s\"}", (count++ ? "," : ""), now, $0 }
      END { print "]}" }' >"$body"
  logs PutLogEvents "$body"
}

finish() {
  local code=$?
  trap - EXIT
  set +e
  if [ "$code" -eq 0 ]; then
    say 'the proxy answers'
    signal SUCCESS
  else
    say "failed with exit code $code"
    ship_log
    signal FAILURE
  fi
  exit "$code"
}

INSTANCE_ID="$(metadata meta-data/instance-id)"
readonly INSTANCE_ID
trap finish EXIT

say "fetch s3://$BINARY_BUCKET/$BINARY_KEY"
# S3 wants the hash of the body in a header, here that of no body, which older versions of curl do not send.
call_aws s3 "https://s3.$REGION.$URL_SUFFIX/$BINARY_BUCKET/$BINARY_KEY" --output "$HOME_DIRECTORY/mlflow-proxy.new" \
  --header 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
say "expect sha256 $BINARY_SHA256"
printf '%s  %s\n' "$BINARY_SHA256" "$HOME_DIRECTORY/mlflow-proxy.new" | sha256sum --check --strict
chmod 0755 "$HOME_DIRECTORY/mlflow-proxy.new"
mv "$HOME_DIRECTORY/mlflow-proxy.new" "$HOME_DIRECTORY/mlflow-proxy"
chmod 0755 "$HOME_DIRECTORY"

id mlflow-proxy >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin mlflow-proxy
install -d -m 0755 "$ROOT/etc/mlflow-proxy"
printf '%s\n' "$SERVICE_ENVIRONMENT" >"$ROOT/etc/mlflow-proxy/environment"
chmod 0644 "$ROOT/etc/mlflow-proxy/environment"

cat >"$ROOT/etc/systemd/system/mlflow-proxy.service" <<'UNIT'
[Unit]
Description=Signing proxy in front of SageMaker managed MLflow
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=mlflow-proxy
EnvironmentFile=/etc/mlflow-proxy/environment
ExecStart=/opt/mlflow-proxy/mlflow-proxy
Restart=always
RestartSec=5
TimeoutStartSec=60
# Longer than the proxy takes to finish the requests under way.
TimeoutStopSec=130
# Large bodies wait here: on the disk, and for nobody else to read.
CacheDirectory=mlflow-proxy
CacheDirectoryMode=0700
UMask=0077
LimitNOFILE=65536
LimitCORE=0
MemoryMax=80%
CapabilityBoundingSet=
DevicePolicy=closed
KeyringMode=private
LockPersonality=true
MemoryDenyWriteExecute=true
NoNewPrivileges=true
PrivateDevices=true
PrivateTmp=true
PrivateUsers=true
ProcSubset=pid
ProtectClock=true
ProtectControlGroups=true
ProtectHome=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
UNIT
chmod 0644 "$ROOT/etc/systemd/system/mlflow-proxy.service"
systemctl daemon-reload
systemctl enable mlflow-proxy.service
# Not waited for: a proxy that does not start has more to say than systemctl, see below.
systemctl start --no-block mlflow-proxy.service

say 'wait for the proxy to answer'
for attempt in $(seq 1 60); do
  if curl --silent --fail --max-time 2 --output /dev/null "http://127.0.0.1:$PROXY_PORT/healthz"; then
    exit 0
  fi
  [ "$attempt" -lt 60 ] && sleep 2
done
say 'the proxy does not answer; its own words follow'
journalctl --no-pager --unit mlflow-proxy.service --lines 50 || true
say 'what it finds wrong with its settings'
(
  while IFS= read -r setting; do export "${setting?}"; done <"$ROOT/etc/mlflow-proxy/environment"
  timeout 60 "$HOME_DIRECTORY/mlflow-proxy" --check
) || true
exit 1

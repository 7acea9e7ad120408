#!/bin/sh
# Runs one step of docs/rollout.md in the workflow `production`:
#
#   rollout.sh upload               upload a version and give it 0 percent of the requests
#   rollout.sh to VERSION PERCENT   give VERSION that share
#   rollout.sh back VERSION         roll back to VERSION
#
# Each step ends with the smoke test. URL is the address of production.
set -eu

worker=coral-discovery

fail() {
  echo "$1" >&2
  exit 2
}

smoke() {
  cargo xtask smoke --url "$URL" --worker "$worker" --version "$1"
}

# Writes the status of the deployment to the file $status.
deployed() {
  npx wrangler deployments status --env production --json > "$status"
}

step=${1:-}
version=${2:-}
status=$(mktemp)
trap 'rm -f "$status"' EXIT

case "$step" in
  upload)
    deployed
    [ "$(jq -r '.versions | length' "$status")" = 1 ] ||
      fail "a rollout is in progress: finish it or roll it back first"
    old=$(jq -r '.versions[0].version_id' "$status")
    WRANGLER_OUTPUT_FILE_PATH=$(mktemp)
    export WRANGLER_OUTPUT_FILE_PATH
    npx wrangler versions upload --env production --strict --tag "${GITHUB_SHA:-by-hand}"
    version=$(jq -r 'select(.type == "version-upload").version_id' "$WRANGLER_OUTPUT_FILE_PATH")
    unset WRANGLER_OUTPUT_FILE_PATH
    npx wrangler versions deploy "$version@0%" "$old@100%" \
      --env production --yes --message "try $version"
    smoke "$version"
    echo "Version $version serves only requests that ask for it by version."
    echo "Continue with 10 percent, or roll back to $old."
    ;;
  to)
    percent=${3:-}
    if [ -z "$version" ] || [ -z "$percent" ]; then
      fail "usage: rollout.sh to VERSION PERCENT"
    fi
    deployed
    before=$(jq -r --arg version "$version" \
      '.versions[] | select(.version_id == $version).percentage' "$status")
    [ -n "$before" ] || fail "$version is not part of the rollout: upload it first"
    # The share of the new version only grows. If VERSION is the old one by mistake, its share would
    # shrink.
    [ "$before" -lt "$percent" ] ||
      fail "$version already has $before percent: check that it is the new version"
    if [ "$percent" = 100 ]; then
      npx wrangler versions deploy "$version@100%" \
        --env production --yes --message "all to $version"
    else
      old=$(jq -r --arg version "$version" \
        '.versions[].version_id | select(. != $version)' "$status")
      npx wrangler versions deploy "$version@$percent%" "$old@$((100 - percent))%" \
        --env production --yes --message "$percent percent to $version"
    fi
    smoke "$version"
    ;;
  back)
    [ -n "$version" ] || fail "usage: rollout.sh back VERSION"
    npx wrangler rollback "$version" --env production --yes --message "back to $version" \
      --durable-objects-code-update-mode immediate
    smoke "$version"
    ;;
  *)
    fail "usage: rollout.sh upload | to VERSION PERCENT | back VERSION"
    ;;
esac

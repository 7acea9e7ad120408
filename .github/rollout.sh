#!/bin/sh
# The steps of docs/rollout.md, for whoever cannot type them: upload | to VERSION PERCENT | back VERSION.
set -eu

worker=coral-discovery

fail() {
  echo "$1" >&2
  exit 2
}

deployed() {
  npx wrangler deployments status --env production --json
}

# A query of what is deployed, which is in a file; $new is the version that is asked for.
of_deployed() {
  jq -r --arg new "$new" "$1" "$now"
}

smoke() {
  cargo xtask smoke --url "$URL" --worker "$worker" --version "$1"
}

step=${1:-}
new=${2:-}
now=$(mktemp)
trap 'rm -f "$now"' EXIT

case "$step" in
  upload)
    deployed > "$now"
    [ "$(of_deployed '.versions | length')" = 1 ] || fail "a rollout is under way: finish it, or roll it back"
    old=$(of_deployed '.versions[0].version_id')
    WRANGLER_OUTPUT_FILE_PATH=$(mktemp)
    export WRANGLER_OUTPUT_FILE_PATH
    npx wrangler versions upload --env production --strict --tag "${GITHUB_SHA:-by-hand}"
    new=$(jq -r 'select(.type == "version-upload").version_id' "$WRANGLER_OUTPUT_FILE_PATH")
    unset WRANGLER_OUTPUT_FILE_PATH
    npx wrangler versions deploy "$new@0%" "$old@100%" --env production --yes --message "try $new"
    smoke "$new"
    echo "version $new answers nobody yet but who asks for it: go on with 10 percent, or roll back to $old"
    ;;
  to)
    percent=${3:-}
    [ -n "$new" ] && [ -n "$percent" ] || fail "which version, and how many percent?"
    deployed > "$now"
    before=$(of_deployed '.versions[] | select(.version_id == $new).percentage')
    [ -n "$before" ] || fail "$new is not part of the rollout: upload it first"
    # The share of a new version only grows: the old one, by mistake, would shrink.
    [ "$before" -lt "$percent" ] || fail "$new has $before percent already: is it the new version?"
    if [ "$percent" = 100 ]; then
      npx wrangler versions deploy "$new@100%" --env production --yes --message "all to $new"
    else
      old=$(of_deployed '.versions[].version_id | select(. != $new)')
      npx wrangler versions deploy "$new@$percent%" "$old@$((100 - percent))%" --env production --yes --message "$percent percent to $new"
    fi
    smoke "$new"
    ;;
  back)
    [ -n "$new" ] || fail "back to which version?"
    npx wrangler rollback "$new" --env production --yes --message "back to $new" --durable-objects-code-update-mode immediate
    smoke "$new"
    ;;
  *)
    fail "rollout.sh upload | to VERSION PERCENT | back VERSION"
    ;;
esac

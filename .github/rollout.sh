#!/bin/sh
# The steps of docs/rollout.md, for whoever cannot type them: upload | to VERSION PERCENT | back VERSION.
set -eu

worker=coral-discovery

# The version that most get now.
now() {
  npx wrangler deployments status --env production --json |
    jq -r '.versions | max_by(.percentage).version_id'
}

# The other one of a rollout that is under way.
before() {
  npx wrangler deployments status --env production --json |
    jq -r --arg new "$1" '[.versions[].version_id | select(. != $new)] | first // empty'
}

smoke() {
  cargo xtask smoke --url "$URL" --worker "$worker" --version "$1"
}

case "$1" in
  upload)
    old=$(now)
    export WRANGLER_OUTPUT_FILE_PATH=uploaded.ndjson
    npx wrangler versions upload --env production --strict --tag "${GITHUB_SHA:-by-hand}"
    unset WRANGLER_OUTPUT_FILE_PATH
    new=$(jq -r 'select(.type == "version-upload").version_id' uploaded.ndjson)
    npx wrangler versions deploy "$new@0%" "$old@100%" --env production --yes --message "try $new"
    smoke "$new"
    echo "version $new answers nobody yet but who asks for it: go on with 10 percent, or roll back to $old"
    ;;
  to)
    new=$2
    if [ "$3" = 100 ]; then
      npx wrangler versions deploy "$new@100%" --env production --yes --message "all to $new"
    else
      old=$(before "$new")
      npx wrangler versions deploy "$new@$3%" "$old@$((100 - $3))%" --env production --yes --message "$3 percent to $new"
    fi
    smoke "$new"
    ;;
  back)
    npx wrangler rollback "$2" --env production --yes --message "back to $2" \
      --durable-objects-code-update-mode immediate
    smoke "$2"
    ;;
  *)
    echo "rollout.sh upload | to VERSION PERCENT | back VERSION" >&2
    exit 2
    ;;
esac

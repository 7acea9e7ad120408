package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// npx stands in for wrangler: it records its arguments and prints what wrangler would.
const npx = `#!/bin/sh
echo "npx $*" >> "$CALLS"
case "$*" in
  *"versions upload"*)
    printf '%s\n' '{"type":"wrangler-session"}' '{"type":"version-upload","version_id":"new"}' \
      > "$WRANGLER_OUTPUT_FILE_PATH" ;;
  *"deployments status"*) cat "$DEPLOYED" ;;
esac
`

// cargo stands in for the smoke test: it records its arguments, and fails if SMOKE_FAILS is set.
const cargo = `#!/bin/sh
echo "cargo $*" >> "$CALLS"
[ -z "${SMOKE_FAILS:-}" ]
`

// runRollout runs a step of the rollout script, given the deployed versions. It returns the
// commands that the script has called.
func runRollout(
	t *testing.T, deployed string, environment []string, arguments ...string,
) ([]string, error) {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{"npx": npx, "cargo": cargo, "deployed": deployed}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil { //nolint:gosec // executables
			t.Fatal(err)
		}
	}
	callsFile := filepath.Join(folder, "calls")
	command := exec.Command("sh", append([]string{harness.Path(rolloutScript)}, arguments...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "CALLS="+callsFile,
		"DEPLOYED="+filepath.Join(folder, "deployed"), "URL=https://example.org")
	command.Env = append(command.Env, environment...)
	output, runErr := command.CombinedOutput()
	calls, err := os.ReadFile(callsFile)
	if err != nil && runErr == nil {
		t.Fatalf("%v: %s", err, output)
	}
	return strings.Split(strings.TrimSpace(string(calls)), "\n"), runErr
}

const (
	onlyOld = `{"versions":[{"version_id":"old","percentage":100}]}`
	newAt10 = `{"versions":[{"version_id":"new","percentage":10},` +
		`{"version_id":"old","percentage":90}]}`
	smokeTestOf = "cargo xtask smoke --url https://example.org --worker coral-discovery --version "
)

func TestRolloutSteps(t *testing.T) {
	t.Parallel()
	for _, step := range []struct {
		name, deployed string
		arguments      []string
		calls          []string
	}{
		{"upload", onlyOld, []string{"upload"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions upload --env production --strict --tag by-hand",
			"npx wrangler versions deploy new@0% old@100% --env production --yes --message try new",
			smokeTestOf + "new",
		}},
		{"half", newAt10, []string{"to", "new", "50"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions deploy new@50% old@50% --env production --yes " +
				"--message 50 percent to new",
			smokeTestOf + "new",
		}},
		{"all", newAt10, []string{"to", "new", "100"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions deploy new@100% --env production --yes --message all to new",
			smokeTestOf + "new",
		}},
		{"back", newAt10, []string{"back", "old"}, []string{
			"npx wrangler rollback old --env production --yes --message back to old " +
				"--durable-objects-code-update-mode immediate",
			smokeTestOf + "old",
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			environment := []string{"GITHUB_SHA=by-hand"}
			calls, err := runRollout(t, step.deployed, environment, step.arguments...)
			if err != nil || !slices.Equal(calls, step.calls) {
				t.Errorf("%v: called\n%s", err, strings.Join(calls, "\n"))
			}
			environment = []string{"SMOKE_FAILS=1"}
			if _, err := runRollout(t, step.deployed, environment, step.arguments...); err == nil {
				t.Error("the step succeeded though the smoke test failed")
			}
		})
	}
}

// The script rejects wrong choices before it deploys anything.
func TestHarmfulRolloutStepsAreRejected(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]struct {
		deployed  string
		arguments []string
	}{
		"upload during a rollout":            {newAt10, []string{"upload"}},
		"old version instead of the new one": {newAt10, []string{"to", "old", "50"}},
		"version that was not uploaded":      {onlyOld, []string{"to", "new", "100"}},
		"no version":                         {newAt10, []string{"to", "", "10"}},
		"rollback without a version":         {newAt10, []string{"back", ""}},
		"no step":                            {newAt10, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, err := runRollout(t, step.deployed, nil, step.arguments...)
			deploys := func(call string) bool {
				return strings.Contains(call, "versions deploy") || strings.Contains(call, "rollback")
			}
			if err == nil || slices.ContainsFunc(calls, deploys) {
				t.Errorf("%v: called\n%s", err, strings.Join(calls, "\n"))
			}
		})
	}
}

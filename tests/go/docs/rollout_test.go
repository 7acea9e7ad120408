package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// npx stands in for wrangler: it notes what it is asked, and answers as wrangler does.
const npx = `#!/bin/sh
echo "npx $*" >> "$NOTES"
case "$*" in
  *"versions upload"*)
    printf '{"type":"wrangler-session"}\n{"type":"version-upload","version_id":"new"}\n' > "$WRANGLER_OUTPUT_FILE_PATH" ;;
  *"deployments status"*) cat "$DEPLOYED" ;;
esac
`

// cargo stands in for the smoke test.
const cargo = `#!/bin/sh
echo "cargo $*" >> "$NOTES"
[ -z "${BROKEN:-}" ]
`

// rollout runs a step of CI's script, with that deployed, and returns what it has called.
func rollout(t *testing.T, deployed string, environment []string, arguments ...string) ([]string, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{"npx": npx, "cargo": cargo, "deployed": deployed} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o700); err != nil { //nolint:gosec // they are run
			t.Fatal(err)
		}
	}
	script := harness.Path(".github", "rollout.sh")
	notes := filepath.Join(folder, "notes")
	command := exec.Command("sh", append([]string{script}, arguments...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "NOTES="+notes,
		"DEPLOYED="+filepath.Join(folder, "deployed"), "URL=https://example.org")
	command.Env = append(command.Env, environment...)
	output, failed := command.CombinedOutput()
	called, err := os.ReadFile(notes)
	if err != nil && failed == nil {
		t.Fatalf("%v: %s", err, output)
	}
	return strings.Split(strings.TrimSpace(string(called)), "\n"), failed
}

const (
	alone = `{"versions":[{"version_id":"old","percentage":100}]}`
	both  = `{"versions":[{"version_id":"new","percentage":10},{"version_id":"old","percentage":90}]}`
	smoke = "cargo xtask smoke --url https://example.org --worker coral-discovery --version "
)

func TestStepsOfARollout(t *testing.T) {
	t.Parallel()
	for _, step := range []struct {
		name, deployed string
		arguments      []string
		called         []string
	}{
		{"upload", alone, []string{"upload"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions upload --env production --strict --tag by-hand",
			"npx wrangler versions deploy new@0% old@100% --env production --yes --message try new",
			smoke + "new",
		}},
		{"half", both, []string{"to", "new", "50"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions deploy new@50% old@50% --env production --yes --message 50 percent to new",
			smoke + "new",
		}},
		{"all", both, []string{"to", "new", "100"}, []string{
			"npx wrangler deployments status --env production --json",
			"npx wrangler versions deploy new@100% --env production --yes --message all to new",
			smoke + "new",
		}},
		{"back", both, []string{"back", "old"}, []string{
			"npx wrangler rollback old --env production --yes --message back to old --durable-objects-code-update-mode immediate",
			smoke + "old",
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			called, err := rollout(t, step.deployed, []string{"GITHUB_SHA=by-hand"}, step.arguments...)
			if err != nil || strings.Join(called, "\n") != strings.Join(step.called, "\n") {
				t.Errorf("%v: called\n%s", err, strings.Join(called, "\n"))
			}
			if _, err := rollout(t, step.deployed, []string{"BROKEN=1"}, step.arguments...); err == nil {
				t.Error("a smoke test that fails must fail the step")
			}
		})
	}
}

// What a person may choose wrongly is refused before anything is deployed.
func TestStepsThatWouldDoHarmAreRefused(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]struct {
		deployed  string
		arguments []string
	}{
		"another upload during a rollout":     {both, []string{"upload"}},
		"the old version in place of the new": {both, []string{"to", "old", "50"}},
		"a version that was not tried":        {alone, []string{"to", "new", "100"}},
		"no version":                          {both, []string{"to", "", "10"}},
		"back to nowhere":                     {both, []string{"back", ""}},
		"nothing":                             {both, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called, err := rollout(t, step.deployed, nil, step.arguments...)
			if err == nil || strings.Contains(strings.Join(called, "\n"), "versions deploy") || strings.Contains(strings.Join(called, "\n"), "rollback") {
				t.Errorf("%v: called\n%s", err, strings.Join(called, "\n"))
			}
		})
	}
}

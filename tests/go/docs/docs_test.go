package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// localServer is the URL of a reader's server in the documents.
const localServer = "http://127.0.0.1:8787"

// runTimeout bounds one example.
const runTimeout = 2 * time.Minute

// adminKey is the admin key of the reader's server.
const adminKey = "an-admin-key-for-the-documentation"

// rolloutScript is the script of the workflow that deploys to production.
const rolloutScript = ".github/rollout.sh"

// reviewedCommands are commands whose options are not checked: those of any machine, cargo and go,
// which the project's own checks run, and functions of the rollout script. A command is added here
// after a review of its use in the documents.
var reviewedCommands = []string{
	"cargo", "rustup", "go", "git", "curl", "jq", "date", "export", "unset", "openssl", "printf",
	"sha256sum", "cut", "docker", "grep", "[", "echo", "exit", "fail", "deployed",
	"mkdir", "mktemp", "npm", "rm", "set", "sh", "smoke", "./start", "trap", "umask",
}

// buildTools are the tools with which xtask builds a Worker.
var buildTools = []string{"wasm-bindgen", "wasm-opt", "esbuild"}

// Every command in the documents and in the rollout script exists, with the same options.
func TestDocumentedCommandsExist(t *testing.T) {
	t.Parallel()
	type shell struct{ where, code string }
	shells := []shell{{rolloutScript, string(read(t, rolloutScript))}}
	for _, document := range documents(t) {
		for _, block := range blocks(t, document) {
			if block.Language == "sh" {
				shells = append(shells, shell{block.position(), block.Code})
			}
		}
	}
	for _, shell := range shells {
		t.Run(shell.where, func(t *testing.T) {
			t.Parallel()
			for _, words := range commands(t, shell.where, shell.code) {
				switch {
				case words[0] == "npx" && words[1] == "wrangler":
					checkWrangler(t, shell.where, words[2:])
				case words[0] == "cargo" && words[1] == "xtask":
					checkXtask(t, shell.where, words[2:])
				case slices.Contains(buildTools, words[0]):
					checkBuildTool(t, shell.where, words)
				case !slices.Contains(reviewedCommands, words[0]):
					t.Errorf("%s: %v is not in reviewedCommands", shell.where, words)
				}
			}
		})
	}
}

// Every example that calls a local server succeeds, and prints what the document shows. The
// examples of a document run in order, on one server.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		if strings.HasPrefix(document, "examples") {
			continue // TestExampleServesItsProto makes the calls of the example's README
		}
		all := blocks(t, document)
		if !slices.ContainsFunc(all, block.isExample) {
			continue
		}
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey)
			count := 0
			for i, block := range all {
				if !block.isExample() {
					continue
				}
				count++
				printed := run(t, worker, block)
				if i+1 < len(all) {
					compareOutput(t, all[i+1], printed)
				}
			}
			t.Logf("%d examples", count)
		})
	}
}

func (b block) position() string { return fmt.Sprintf("%s:%d", b.Document, b.Line) }

// isExample returns true for a block that calls a local server.
func (b block) isExample() bool {
	return strings.Contains(b.Code, localServer) &&
		slices.Contains([]string{"sh", "go", "ts"}, b.Language)
}

// run runs an example against a Worker, and returns its output.
func run(t *testing.T, worker *harness.Worker, b block) string {
	t.Helper()
	code := strings.ReplaceAll(b.Code, localServer, worker.URL)
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	var command *exec.Cmd
	switch b.Language {
	case "sh":
		command = exec.CommandContext(ctx, "sh", "-euc", code)
		command.Dir = harness.Path()
	case "go":
		// In the module that has the generated client.
		folder, err := os.MkdirTemp("..", "example-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		writeFile(t, filepath.Join(folder, "main.go"), code)
		command = exec.CommandContext(ctx, "go", "run", folder)
	case "ts":
		file := filepath.Join(t.TempDir(), "example.mts")
		writeFile(t, file, code)
		node := harness.Path("node_modules", ".bin", "node")
		command = exec.CommandContext(ctx, node, "--disable-warning=ExperimentalWarning", file)
	}
	command.Env = append(os.Environ(), "DISCOVERY_ADMIN_KEY="+adminKey)
	var output, errorOutput strings.Builder
	command.Stdout, command.Stderr = &output, &errorOutput
	if err := command.Run(); err != nil {
		t.Errorf("%s: %v\n%s%s", b.position(), err, output.String(), errorOutput.String())
	}
	return output.String()
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// compareOutput compares the output of an example with the block after it, if that shows output.
// JSON may differ in the values of members other than "code".
func compareOutput(t *testing.T, shown block, output string) {
	t.Helper()
	switch shown.Language {
	case "json":
		want, got := parseJSON(t, shown, shown.Code), parseJSON(t, shown, output)
		wantNames, gotNames := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))
		if !slices.Equal(wantNames, gotNames) || want["code"] != got["code"] {
			t.Errorf("%s: %s", shown.position(), output)
		}
	case "":
		if strings.TrimSpace(shown.Code) != strings.TrimSpace(output) {
			t.Errorf("%s: %s", shown.position(), output)
		}
	}
}

func parseJSON(t *testing.T, shown block, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%s: %v: %s", shown.position(), err, text)
	}
	return object
}

// Documented queries use only columns that the Worker writes: see metrics_test.go.
func TestQueriesNameExistingColumns(t *testing.T) {
	t.Parallel()
	column := regexp.MustCompile(`\b(blob|double|index)(\d+)\b`)
	counts := map[string]int{"blob": 9, "double": 5, "index": 1}
	found := 0
	for _, document := range documents(t) {
		for _, match := range column.FindAllStringSubmatch(string(read(t, document)), -1) {
			var number int
			_, err := fmt.Sscan(match[2], &number)
			if err != nil || number < 1 || number > counts[match[1]] {
				t.Errorf("%s: there is no column %s", document, match[0])
			}
			found++
		}
	}
	if found < 20 {
		t.Errorf("only %d columns", found)
	}
}

// Every Go test that a document names exists.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	tests := testNames(t)
	named := 0
	name := regexp.MustCompile("`(Test[A-Z]\\w+)`")
	for _, document := range documents(t) {
		for _, match := range name.FindAllStringSubmatch(string(read(t, document)), -1) {
			named++
			if !tests[match[1]] {
				t.Errorf("%s: there is no %s", document, match[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d tests are named", named)
	}
}

// testNames returns the names of all Go tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	read := func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, match := range function.FindAllStringSubmatch(string(content), -1) {
			names[match[1]] = true
		}
		return err
	}
	if err := filepath.WalkDir(harness.Path("tests", "go"), read); err != nil {
		t.Fatal(err)
	}
	return names
}

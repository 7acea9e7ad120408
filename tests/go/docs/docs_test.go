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

// here is where documents have the server of somebody who follows them.
const here = "http://127.0.0.1:8787"

// patience is how long a piece may run.
const patience = 2 * time.Minute

// adminKey is what a reader would have set.
const adminKey = "a-secret-of-operators-for-the-docs"

// ordinary are commands of everybody's machine; cargo and go run in the project's own checks.
var ordinary = []string{
	"cargo", "rustup", "go", "git", "curl", "jq", "date", "export", "unset", "openssl", "printf", "sha256sum", "cut", "docker", "grep",
	"[", "echo", "exit", "fail", "deployed", "of_deployed", "mkdir", "mktemp", "rm", "set", "sh", "smoke", "trap", "umask",
}

// builders are what xtask builds a Worker with: whoever does so by hand gives them the same options.
var builders = []string{"wasm-bindgen", "wasm-opt", "esbuild"}

// What stands in the documentation or in the scripts of CI as a command is one.
func TestCommandsAreThoseOfTheirPrograms(t *testing.T) {
	t.Parallel()
	type shell struct{ where, code string }
	shells := []shell{{".github/rollout.sh", string(read(t, ".github/rollout.sh"))}}
	for _, document := range documents(t) {
		for _, block := range blocks(t, document) {
			if block.Language == "sh" {
				shells = append(shells, shell{fmt.Sprintf("%s:%d", block.Document, block.Line), block.Code})
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
				case slices.Contains(builders, words[0]):
					checkBuilder(t, shell.where, words)
				case !slices.Contains(ordinary, words[0]):
					t.Errorf("%s: nobody has looked at %v", shell.where, words)
				}
			}
		})
	}
}

func checkBuilder(t *testing.T, where string, words []string) {
	t.Helper()
	source := xtaskSource(t)
	for _, flag := range flags(words) {
		if !strings.Contains(source, flag) {
			t.Errorf("%s: xtask calls %s without %s", where, words[0], flag)
		}
	}
}

// xtaskSource returns the Rust code of xtask.
func xtaskSource(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	err := filepath.WalkDir(harness.Path("tools", "xtask", "src"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".rs" {
			return err
		}
		content, err := os.ReadFile(path)
		source.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return source.String()
}

// What calls a server of the reader's own does what it says, in the order in which it stands there.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		if strings.HasPrefix(document, "examples") {
			continue // The example's own test runs them.
		}
		all := blocks(t, document)
		if !slices.ContainsFunc(all, block.runs) {
			continue
		}
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey)
			ran := 0
			for i, block := range all {
				if !block.runs() {
					continue
				}
				ran++
				printed := run(t, worker, block)
				if i+1 < len(all) {
					compare(t, all[i+1], printed)
				}
			}
			t.Logf("%d pieces", ran)
		})
	}
}

func (b block) runs() bool {
	return strings.Contains(b.Code, here) && slices.Contains([]string{"sh", "go", "ts"}, b.Language)
}

// run runs a piece against a Worker, and returns what it prints.
func run(t *testing.T, worker *harness.Worker, b block) string {
	t.Helper()
	code := strings.ReplaceAll(b.Code, here, worker.URL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var command *exec.Cmd
	switch b.Language {
	case "sh":
		command = exec.CommandContext(ctx, "sh", "-euc", code)
		command.Dir = harness.Path()
	case "go":
		// In the module, as a reader's own program would be in one that has the client.
		folder, err := os.MkdirTemp("..", "example-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		write(t, filepath.Join(folder, "main.go"), code)
		command = exec.CommandContext(ctx, "go", "run", folder)
	case "ts":
		file := filepath.Join(t.TempDir(), "example.mts")
		write(t, file, code)
		command = exec.CommandContext(ctx, harness.Path("node_modules", ".bin", "node"), "--disable-warning=ExperimentalWarning", file)
	}
	command.Env = append(os.Environ(), "DISCOVERY_ADMIN_KEY="+adminKey)
	var printed strings.Builder
	var complaints strings.Builder
	command.Stdout, command.Stderr = &printed, &complaints
	if err := command.Run(); err != nil {
		t.Errorf("%s:%d: %v\n%s%s", b.Document, b.Line, err, printed.String(), complaints.String())
	}
	return printed.String()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// compare compares what was printed with the piece after it, if that shows it: JSON by its fields and its code, text by its lines.
func compare(t *testing.T, shown block, printed string) {
	t.Helper()
	where := fmt.Sprintf("%s:%d", shown.Document, shown.Line)
	switch shown.Language {
	case "json":
		want, got := object(t, where, shown.Code), object(t, where, printed)
		if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) || want["code"] != got["code"] {
			t.Errorf("%s: %s", where, printed)
		}
	case "":
		if strings.TrimSpace(shown.Code) != strings.TrimSpace(printed) {
			t.Errorf("%s: %s", where, printed)
		}
	}
}

func object(t *testing.T, where, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%s: %v: %s", where, err, text)
	}
	return object
}

// Queries name columns that the Worker writes: so many texts and numbers (metrics_test.go).
func TestQueriesNameColumnsThatThereAre(t *testing.T) {
	t.Parallel()
	column := regexp.MustCompile(`\b(blob|double|index)(\d+)\b`)
	most := map[string]int{"blob": 9, "double": 5, "index": 1}
	found := 0
	for _, document := range documents(t) {
		for _, match := range column.FindAllStringSubmatch(string(read(t, document)), -1) {
			var number int
			if _, err := fmt.Sscan(match[2], &number); err != nil || number < 1 || number > most[match[1]] {
				t.Errorf("%s: there is no %s", document, match[0])
			}
			found++
		}
	}
	if found < 20 {
		t.Errorf("only %d columns", found)
	}
}

// A test that a document names is there.
func TestTestsThatAreNamedAreThere(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	err := filepath.WalkDir(harness.Path("tests", "go"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(content), -1) {
			there[match[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, document := range documents(t) {
		for _, match := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(string(read(t, document)), -1) {
			named++
			if !there[match[1]] {
				t.Errorf("%s: there is no %s", document, match[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d are named", named)
	}
}

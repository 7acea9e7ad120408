package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// commands returns the commands of shell code, each as a list of words. A part of a word that is
// only known at run time is "?".
func commands(t *testing.T, where, shell string) [][]string {
	t.Helper()
	parser := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
	file, err := parser.Parse(strings.NewReader(shell), where)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	var found [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			words := make([]string, len(call.Args))
			for i, arg := range call.Args {
				words[i] = literal(arg)
			}
			found = append(found, words)
		}
		return true
	})
	return found
}

func literal(word *syntax.Word) string {
	var text strings.Builder
	for _, part := range word.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text.WriteString(part.Value)
		case *syntax.SglQuoted:
			text.WriteString(part.Value)
		case *syntax.DblQuoted:
			text.WriteString(literal(&syntax.Word{Parts: part.Parts}))
		default:
			text.WriteString("?")
		}
	}
	return text.String()
}

// helpCache has the help texts by command line.
var helpCache sync.Map

// help returns the output of a command that prints its help.
func help(command *exec.Cmd) string {
	key := strings.Join(command.Args, " ")
	cached, _ := helpCache.LoadOrStore(key, sync.OnceValue(func() string {
		command.Dir = harness.Path()
		command.Env = append(os.Environ(), "NO_COLOR=1", "WRANGLER_SEND_METRICS=false",
			"WRANGLER_WRITE_LOGS=false", pathWithNode())
		output, _ := command.CombinedOutput()
		return string(output)
	}))
	return cached.(func() string)()
}

// pathWithNode returns a PATH on which npm's Node comes first: wrangler needs it.
func pathWithNode() string {
	bin := harness.Path("node_modules", ".bin")
	return "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")
}

// flags returns the options among words: --name or -n.
func flags(words []string) []string {
	var found []string
	for _, word := range words {
		name, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(name, "-") && name != "-" && name != "--" {
			found = append(found, name)
		}
	}
	return found
}

// listsFlag returns true if a help text lists an option.
func listsFlag(help, flag string) bool {
	pattern := `(^|[\s,])` + regexp.QuoteMeta(flag) + `($|[\s,=\[<])`
	return regexp.MustCompile(pattern).MatchString(help)
}

// checkWrangler compares a command line with wrangler's help.
func checkWrangler(t *testing.T, where string, words []string) {
	t.Helper()
	program := harness.Path("node_modules", ".bin", "wrangler")
	// The longest prefix that has help is the command. The words after it are arguments.
	for length := min(3, len(words)); length > 0; length-- {
		command := strings.Join(words[:length], " ")
		text := help(exec.Command(program, append(words[:length:length], "--help")...))
		first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
		if !strings.HasPrefix(first, "wrangler "+command) {
			continue
		}
		for _, flag := range flags(words[length:]) {
			if !listsFlag(text, flag) {
				t.Errorf("%s: wrangler %s has no %s", where, command, flag)
			}
		}
		return
	}
	t.Errorf("%s: wrangler has no command %v", where, words)
}

// goPrograms are the programs of tests/go/cmd that commands of xtask run with their arguments.
var goPrograms = map[string]string{
	"bench": "bench", "load": "loadtest", "soak": "soak", "linearizability": "linearizability",
	"smoke": "smoke",
}

// checkXtask compares a command line with the help of xtask, or of the program that xtask runs.
func checkXtask(t *testing.T, where string, words []string) {
	t.Helper()
	text := help(harness.Xtask(words[0], "--help"))
	if !strings.Contains(text, "Usage: cargo xtask "+words[0]) {
		t.Errorf("%s: xtask has no command %s", where, words[0])
		return
	}
	program, isGo := goPrograms[words[0]]
	if isGo {
		// Go programs list options with one dash, and also accept two.
		text = help(exec.Command("go", "-C", "tests/go", "run", "./cmd/"+program, "-help"))
		text = strings.ReplaceAll(text, "  -", "  --")
	}
	for _, flag := range flags(words[1:]) {
		if isGo {
			flag = "--" + strings.TrimLeft(flag, "-")
		}
		if !listsFlag(text, flag) {
			t.Errorf("%s: xtask %s has no %s", where, words[0], flag)
		}
	}
}

// wasmBindgenCalls are the calls with which xtask, which has wasm-bindgen as a library, sets what
// options of its command line set.
var wasmBindgenCalls = map[string]string{
	"--target":                            ".web(true)",
	"--no-typescript":                     ".typescript(false)",
	"--out-name":                          ".out_name(",
	"--out-dir":                           ".generate(",
	"--experimental-reset-state-function": ".reset_state_function(true)",
}

// checkBuildTool checks that xtask calls a build tool with the same options.
func checkBuildTool(t *testing.T, where string, words []string) {
	t.Helper()
	source := xtaskSource(t)
	for _, flag := range flags(words) {
		if words[0] == "wasm-bindgen" {
			flag = wasmBindgenCalls[flag]
		}
		if flag == "" || !strings.Contains(source, flag) {
			t.Errorf("%s: xtask calls %s without %s", where, words[0], flag)
		}
	}
}

// xtaskSource returns the Rust code of xtask.
func xtaskSource(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	read := func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".rs" {
			return err
		}
		content, err := os.ReadFile(path)
		source.Write(content)
		return err
	}
	if err := filepath.WalkDir(harness.Path("tools", "xtask", "src"), read); err != nil {
		t.Fatal(err)
	}
	return source.String()
}

package docs

import (
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

// commands returns the commands of a piece of shell, each as its words. What a word is only known when it runs is "?".
func commands(t *testing.T, where, shell string) [][]string {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(shell), where)
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

// helps remembers what programs say of themselves.
var helps sync.Map

// help returns what a program of the project says when it is asked for help.
func help(words ...string) string {
	key := strings.Join(words, " ")
	said, _ := helps.LoadOrStore(key, sync.OnceValue(func() string {
		command := exec.Command(words[0], words[1:]...)
		command.Dir = harness.Path()
		command.Env = append(os.Environ(), "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_WRITE_LOGS=false", nodeFirst())
		output, _ := command.CombinedOutput()
		return string(output)
	}))
	return said.(func() string)()
}

// nodeFirst has wrangler run on the Node that npm installed.
func nodeFirst() string {
	return "PATH=" + harness.Path("node_modules", ".bin") + string(os.PathListSeparator) + os.Getenv("PATH")
}

// flags are the options among words: --name, or -n.
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

// has tells whether a help text lists an option.
func has(help, flag string) bool {
	return regexp.MustCompile(`(^|[\s,])` + regexp.QuoteMeta(flag) + `($|[\s,=\[<])`).MatchString(help)
}

// checkWrangler compares a command line with what wrangler knows.
func checkWrangler(t *testing.T, where string, words []string) {
	t.Helper()
	program := filepath.Join("node_modules", ".bin", "wrangler")
	// The longest command of which there is help: what comes after are its arguments.
	for length := min(3, len(words)); length > 0; length-- {
		said := help(append(append([]string{program}, words[:length]...), "--help")...)
		first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
		if !strings.HasPrefix(first, "wrangler "+strings.Join(words[:length], " ")) {
			continue
		}
		for _, flag := range flags(words[length:]) {
			if !has(said, flag) {
				t.Errorf("%s: wrangler %s has no %s", where, strings.Join(words[:length], " "), flag)
			}
		}
		return
	}
	t.Errorf("%s: wrangler has no command %v", where, words)
}

// checkXtask compares a command line with what xtask knows, and the program behind it.
func checkXtask(t *testing.T, where string, words []string) {
	t.Helper()
	xtask := os.Getenv("XTASK")
	if xtask == "" {
		t.Skip("XTASK is not set: cargo xtask test sets it")
	}
	said := help(xtask, words[0], "--help")
	if !strings.Contains(said, "Usage: cargo xtask "+words[0]) {
		t.Errorf("%s: xtask has no command %s", where, words[0])
		return
	}
	program := map[string]string{
		"bench": "bench", "load": "loadtest", "soak": "soak", "linearizability": "linearizability", "smoke": "smoke",
	}[words[0]]
	if program != "" {
		// Go's own programs list options with one dash, and take them with two.
		said = strings.ReplaceAll(help("go", "-C", "tests/go", "run", "./cmd/"+program, "-help"), "  -", "  --")
	}
	for _, flag := range flags(words[1:]) {
		if program != "" {
			flag = "--" + strings.TrimLeft(flag, "-")
		}
		if !has(said, flag) {
			t.Errorf("%s: xtask %s has no %s", where, words[0], flag)
		}
	}
}

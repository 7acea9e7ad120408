package harness

import (
	"os/exec"
	"sync"
)

var (
	buildMutex sync.Mutex
	programs   = map[string]string{}
)

// Build builds the program in the folder cmd/name, once for all tests of a run, and returns the
// path of its executable.
func Build(t T, name string) string {
	t.Helper()
	buildMutex.Lock()
	defer buildMutex.Unlock()
	if program, ok := programs[name]; ok {
		return program
	}
	program := Path("target", name)
	build := exec.Command("go", "build", "-o", program, "./cmd/"+name)
	build.Dir = Path("tests", "go")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, output)
	}
	programs[name] = program
	return program
}

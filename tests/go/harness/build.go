package harness

import (
	"fmt"
	"os"
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
	// Tests of another package may run the program while this one replaces it.
	built := fmt.Sprintf("%s-%d", program, os.Getpid())
	build := exec.Command("go", "build", "-o", built, "./cmd/"+name)
	build.Dir = Path("tests", "go")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, output)
	}
	if err := os.Rename(built, program); err != nil {
		t.Fatal(err)
	}
	programs[name] = program
	return program
}

// buildFolder returns the folder of the built Worker from the project's root: that of the build for
// development, if XTASK_BUILD_FOR_DEV is set.
func buildFolder() string {
	if os.Getenv("XTASK_BUILD_FOR_DEV") != "" {
		return "target/dev-build/worker"
	}
	return "build"
}

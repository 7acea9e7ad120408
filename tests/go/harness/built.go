package harness

import (
	"os/exec"
	"path/filepath"
	"sync"
)

var (
	building sync.Mutex
	built    = map[string]string{}
)

// Built builds the program of that folder, once for all tests of a run, and returns where it is.
func Built(t T, name string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if program, ok := built[name]; ok {
		return program
	}
	program, err := filepath.Abs(filepath.Join(checkout, "target", name))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", program, "./"+name)
	build.Dir = filepath.Join(checkout, "tests", "go")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, output)
	}
	built[name] = program
	return program
}

package harness

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
)

// StartMiniflare runs the Worker in Miniflare until the test ends, with all bindings of
// wrangler.toml: KV and rate limits for example, as far as Miniflare simulates them. Each of vars
// is NAME=VALUE and replaces a variable of wrangler.toml. InjectFaults makes bindings fail.
func StartMiniflare(t T, vars ...string) *Worker {
	t.Helper()
	// The harness reads log entries line by line.
	return start(t, miniflare, append([]string{"LOG_LEVEL=debug", "LOG_FORMAT=line"}, vars...))
}

func miniflare(arguments []string) *exec.Cmd {
	program := Path("tests", "miniflare", "serve.mjs")
	options := []string{program, "--faults", "--analytics", "--build", buildFolder()}
	arguments = append(options, arguments...)
	command := exec.Command(Path("node_modules", ".bin", "node"), arguments...)
	// workerd is a child of node: the signal goes to the whole group.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// TrapHeader is a request header whose value is the place where the WebAssembly instance traps
// while it handles that request: "handler", "after_object" or "object".
const TrapHeader = "Fault-Trap"

// WithFaults returns the variable that makes a Worker of StartMiniflare start with faults, also
// after a restart. tests/miniflare/faults.mjs documents their JSON.
func WithFaults(faults string) string { return "FAULTS=" + faults }

// BindingCounts are numbers of uses of bindings by requests.
type BindingCounts struct {
	KV      struct{ Gets, Puts, Deletes int }
	Objects int
}

// InjectFaults replaces the faults of a Worker of StartMiniflare, and resets its BindingCounts.
// tests/miniflare/faults.mjs documents the JSON.
func (w *Worker) InjectFaults(faults string) {
	w.t.Helper()
	response, err := http.Post(w.faultsURL(), "application/json", strings.NewReader(faults))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s", faults, response.Status)
	}
}

// BindingCounts returns the uses of bindings since the last InjectFaults. Those of background
// tasks, which run after the response, may be missing for a moment.
func (w *Worker) BindingCounts() (counts BindingCounts) {
	w.t.Helper()
	response, err := http.Get(w.faultsURL())
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
		w.t.Fatal(err)
	}
	return counts
}

func (w *Worker) faultsURL() string { return w.URL + "/__faults" }

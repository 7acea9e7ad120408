package harness

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
)

// StartMiniflare is Start with all that Cloudflare has beside workerd, KV and rate limits for example,
// as far as Miniflare has it. What of it fails is up to Faults. Each of vars is NAME=VALUE and
// replaces a variable of wrangler.toml.
func StartMiniflare(t T, vars ...string) *Worker {
	t.Helper()
	// Tests read the log by lines.
	return start(t, platform, append([]string{"LOG_LEVEL=debug", "LOG_FORMAT=line"}, vars...))
}

func platform(arguments []string) *exec.Cmd {
	program := Path("tests", "miniflare", "serve.mjs")
	arguments = append([]string{program, "--faults", "--analytics"}, arguments...)
	command := exec.Command(Path("node_modules", ".bin", "node"), arguments...)
	// workerd is node's child: whoever kills node alone leaves it behind.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// TrapHeader is a request header whose value is the place where the WebAssembly instance traps while
// it handles that request: "handler", "after_object" or "object".
const TrapHeader = "Fault-Trap"

// WithFaults returns the variable that makes a Worker of StartMiniflare start with faults, and start
// with them again after a restart. tests/miniflare/faults.mjs documents their JSON.
func WithFaults(faults string) string { return "FAULTS=" + faults }

// Counts are how often requests used what the platform has.
type Counts struct {
	KV      struct{ Gets, Puts, Deletes int }
	Objects int
}

// Faults says what fails from now on, and counts anew. tests/miniflare/faults.mjs describes it.
func (w *Worker) Faults(t T, faults string) {
	t.Helper()
	answer, err := http.Post(w.faults(), "application/json", strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", faults, answer.Status)
	}
}

// Counts returns what was counted since the last Faults. What a request leaves to be done after its
// answer may be counted a little later.
func (w *Worker) Counts() (counts Counts) {
	w.t.Helper()
	answer, err := http.Get(w.faults())
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&counts); err != nil {
		w.t.Fatal(err)
	}
	return counts
}

func (w *Worker) faults() string { return w.URL + "/__faults" }

// Package harness runs the built Worker in workerd, each on its own port and storage.
package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// startDeadline bounds how long workerd may take to listen.
const startDeadline = 60 * time.Second

// Worker is a running Worker.
type Worker struct {
	// URL is where it answers. It stays the same over a Restart.
	URL string
	// Storage is the folder in which it keeps its objects.
	Storage string

	t       T
	serve   server
	vars    []string
	port    int
	command *exec.Cmd
	log     *log
}

// server makes the command that runs a Worker with these arguments.
type server func(arguments []string) *exec.Cmd

// defaults are an object for each lease, as on Cloudflare, where the suite is not told to run all
// leases in a few objects, as on a machine of one's own; and sweeps in the log, as tests look for them.
func defaults() []string {
	shards := "REGISTRY_SHARDS=0"
	if told := os.Getenv("E2E_REGISTRY_SHARDS"); told != "" {
		shards = "REGISTRY_SHARDS=" + told
	}
	return []string{shards, "LOG_LEVEL=debug"}
}

// Start runs a Worker until the test ends. Each of vars is NAME=VALUE.
func Start(t T, vars ...string) *Worker {
	t.Helper()
	return start(t, xtask, append(defaults(), vars...))
}

// StartExample runs the Worker of that folder until the test ends.
func StartExample(t T, folder string) *Worker {
	t.Helper()
	return start(t, func(arguments []string) *exec.Cmd {
		return xtask(append(arguments, "--worker", folder))
	}, nil)
}

func start(t T, serve server, vars []string) *Worker {
	t.Helper()
	worker := &Worker{t: t, serve: serve, vars: vars, Storage: storage(t), log: newLog()}
	worker.run()
	t.Cleanup(func() {
		worker.Kill()
		if t.Failed() {
			t.Logf("the end of the Worker's log:\n%s", worker.log.tail(50))
		}
	})
	return worker
}

// Kill ends workerd with SIGKILL: nothing is flushed, nobody is told.
func (w *Worker) Kill() {
	if attributes := w.command.SysProcAttr; attributes != nil && attributes.Setpgid {
		_ = syscall.Kill(-w.command.Process.Pid, syscall.SIGKILL) // and its children
	}
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
}

// Restart kills workerd and starts it again on the same storage and port.
func (w *Worker) Restart() {
	w.t.Helper()
	w.Kill()
	w.run()
}

// RestartWith is Restart with variables that replace others.
func (w *Worker) RestartWith(vars ...string) {
	w.t.Helper()
	w.vars = append(w.vars, vars...)
	w.Restart()
}

// Client returns a Connect client: binary unless told otherwise.
func (w *Worker) Client(options ...connect.ClientOption) discoveryv1connect.DiscoveryServiceClient {
	return discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, w.URL, options...)
}

func (w *Worker) run() {
	w.t.Helper()
	arguments := []string{"--storage", w.Storage, "--port", fmt.Sprint(w.port)}
	for _, v := range w.vars {
		arguments = append(arguments, "--var", v)
	}
	w.command = w.serve(arguments)
	output, err := w.command.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.command.Stderr = w.log
	if err := w.command.Start(); err != nil {
		w.t.Fatal(err)
	}
	port := make(chan int, 1)
	go w.log.follow(output, port)
	select {
	case w.port = <-port:
		w.URL = fmt.Sprintf("http://127.0.0.1:%d", w.port)
	case <-time.After(startDeadline):
		w.port = 0
	}
	if w.port == 0 {
		w.Kill()
		w.t.Fatalf("workerd does not listen:\n%s", w.log.text())
	}
}

// xtask is the program that runs the suite, or cargo when the Go tests are run on their own.
func xtask(arguments []string) *exec.Cmd {
	arguments = append([]string{"serve", "--no-build"}, arguments...)
	if program := os.Getenv("XTASK"); program != "" {
		return exec.Command(program, arguments...)
	}
	return exec.Command("cargo", append([]string{"run", "--quiet", "--package", "xtask", "--"}, arguments...)...)
}

// storage makes a folder in memory where the machine has one: waiting for a disk tests nothing.
func storage(t T) string {
	t.Helper()
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	folder, err := os.MkdirTemp(parent, "coral-discovery-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// Databases returns the SQLite files of the objects that were ever addressed.
func (w *Worker) Databases() []string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.Storage, "objects", "*", "*.sqlite"))
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// log is what a Worker wrote.
type log struct {
	mutex sync.Mutex
	lines []string
}

func newLog() *log { return &log{} }

// follow reads output to its end, and sends the port of the line that tells it, 0 if none does.
func (l *log) follow(output io.Reader, port chan<- int) {
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, 1024*1024)
	for scanner.Scan() {
		var event struct {
			Event string
			Port  int
		}
		if json.Unmarshal(scanner.Bytes(), &event) == nil && event.Event == "listen" {
			port <- event.Port
			continue
		}
		l.add(scanner.Text())
	}
	select {
	case port <- 0:
	default:
	}
}

// Write takes what goes to standard error.
func (l *log) Write(text []byte) (int, error) {
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		l.add(line)
	}
	return len(text), nil
}

func (l *log) add(line string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lines = append(l.lines, line)
}

func (l *log) text() string {
	return strings.Join(l.snapshot(), "\n")
}

func (l *log) tail(lines int) string {
	all := l.snapshot()
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (l *log) snapshot() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]string(nil), l.lines...)
}
